using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Orders.Architecture.Tests.Dev;
using Orders.Architecture.Tests.Observability;
using Orders.Testing;

namespace Orders.Architecture.Tests.Containers;

/// <summary>
/// A real Prometheus scrapes the hosts of the running system, and is asked every expression of rules and dashboards
/// (deploy/observability). Workers listen on loopback of their containers, so each is asked inside. That
/// Prometheus finds the containers by itself is for ObservedInstallationTests.
/// </summary>
[Category("Long")]
[Platform("Linux")]
[NonParallelizable]
public sealed class ScrapedContainersTests
{
    // The body of an answer, by bash alone.
    private const string Get =
        "exec 3<>/dev/tcp/127.0.0.1/9464 && printf 'GET /metrics HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && sed '1,/^\\r*$/d' <&3";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Test]
    public async Task Every_query_of_rules_and_dashboards_runs_and_has_data_where_data_is_expected()
    {
        var system = await ContainersSetUp.InstallationAsync();
        string[] others = ["postgres", "rabbitmq", "outside-world", "migrate"];
        var hosts = system.Containers.Where(c => c.Runs && !others.Contains(c.Service)).ToArray();
        Assert.That(hosts, Has.Length.AtLeast(7));
        // Of an earlier start there may be no runs to time.
        await system.DevAsync("post", "5");

        var port = Clone.FreePort();
        using var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        var said = new ConcurrentDictionary<string, byte[]>();
        using var stopping = new CancellationTokenSource();
        var asking = Task.WhenAll(hosts.Select(host => AskAsync(host, said, stopping.Token)));
        var handing = HandOnAsync(listener, said);
        await using (
            var prometheus = await PrometheusProcess.StartAsync(
                string.Concat(
                    hosts.Select(c =>
                        $"      - {{ targets: [\"127.0.0.1:{port}\"], labels: {{ __metrics_path__: /{c.Name}, instance: {c.Name}, service: {c.Service} }} }}\n"
                    )
                )
            )
        )
        {
            await Eventually.That(
                async () => (await prometheus.Api.QueryAsync("up == 1")).Count,
                Is.EqualTo(hosts.Length),
                "hosts that were scraped",
                Patience
            );
            Assert.That(QueriesWithData.All, Has.Count.GreaterThan(40), "queries that must have data");
            foreach (var (where, expression) in QueriesWithData.All)
                await Eventually.That(
                    () => prometheus.Api.QueryAsync(expression),
                    Is.Not.Empty,
                    $"{where}: {expression}",
                    Patience
                );
            foreach (var (_, expression) in ObservabilityFiles.Expressions)
                await prometheus.Api.QueryAsync(expression);
            await Eventually.That(
                async () =>
                    (await prometheus.Api.RulesAsync())
                        .Where(rule => rule.GetProperty("health").GetString() == "ok")
                        .Select(rule => rule.GetProperty("name").GetString()),
                Is.EquivalentTo(ObservabilityFiles.Rules.Select(rule => rule.Name)),
                "rules that were evaluated without a fault",
                Patience
            );
            // Planted: a misspelt metric is no error to Prometheus, and has no data.
            Assert.That(await prometheus.Api.QueryAsync("queueworkers_step_finishd_total"), Is.Empty);
        }

        await stopping.CancelAsync();
        await asking;
        listener.Stop();
        await handing;
    }

    // A scrape may take two seconds, and asking a container takes longer on a busy machine: what it said last is handed on.
    private static async Task AskAsync(
        RunningContainer host,
        ConcurrentDictionary<string, byte[]> said,
        CancellationToken stopping
    )
    {
        while (!stopping.IsCancellationRequested)
        {
            said[host.Name] = Encoding.UTF8.GetBytes(await host.BashAsync(Get));
            // The rate of the questions; nothing is waited for.
            await Task.Delay(TimeSpan.FromSeconds(1), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task HandOnAsync(HttpListener listener, ConcurrentDictionary<string, byte[]> said)
    {
        while (listener.IsListening)
        {
            HttpListenerContext asked;
            try
            {
                asked = await listener.GetContextAsync();
            }
            catch (Exception fault)
                when (fault is HttpListenerException or ObjectDisposedException && !listener.IsListening)
            {
                return;
            }

            if (said.TryGetValue(asked.Request.Url!.AbsolutePath[1..], out var text))
            {
                asked.Response.ContentType = "text/plain; version=0.0.4";
                await asked.Response.OutputStream.WriteAsync(text);
            }
            else
            {
                asked.Response.StatusCode = (int)HttpStatusCode.ServiceUnavailable;
            }

            asked.Response.Close();
        }
    }
}
