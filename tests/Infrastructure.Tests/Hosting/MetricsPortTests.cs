using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orders.Testing.Servers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Telemetry;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>What a process measures is served on a port of its own, whatever a caller writes into the request.</summary>
public sealed class MetricsPortTests
{
    [Test]
    public async Task The_public_port_does_not_serve_metrics_and_the_other_port_serves_nothing_else()
    {
        var (open, own) = (FreePort.Take(), FreePort.Take());
        await using var host = await StartAsync(("urls", $"http://127.0.0.1:{open}"), ("Metrics:Port", $"{own}"));
        using var http = new HttpClient();

        foreach (var address in new[] { "127.0.0.1", $"127.0.0.1:{own}", $"localhost:{own}" })
        {
            using var forged = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{open}/metrics");
            forged.Headers.Host = address;
            using var refused = await http.SendAsync(forged);
            Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), $"Host: {address}");
        }

        using var metrics = await http.GetAsync(new Uri($"http://127.0.0.1:{own}/metrics"));
        Assert.That(metrics.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await http.GetStringAsync(new Uri($"http://127.0.0.1:{open}/hello")), Is.EqualTo("hello"));
        foreach (var path in new[] { "hello", "", "metrics/x" })
        {
            using var nothing = await http.GetAsync(new Uri($"http://127.0.0.1:{own}/{path}"));
            Assert.That(nothing.StatusCode, Is.EqualTo(HttpStatusCode.NotFound), path);
        }
    }

    [Test]
    public async Task Without_the_setting_nobody_scrapes()
    {
        var open = FreePort.Take();
        await using var host = await StartAsync(("urls", $"http://127.0.0.1:{open}"));
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{open}/metrics"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await http.GetStringAsync(new Uri($"http://127.0.0.1:{open}/hello")), Is.EqualTo("hello"));
    }

    [Test]
    public async Task The_ports_of_a_container_stay()
    {
        var (open, own) = (FreePort.Take(), FreePort.Take());
        await using var host = await StartAsync(("http_ports", $"{open}"), ("Metrics:Port", $"{own}"));
        using var http = new HttpClient();
        Assert.That(await http.GetStringAsync(new Uri($"http://127.0.0.1:{open}/hello")), Is.EqualTo("hello"));
        using var metrics = await http.GetAsync(new Uri($"http://127.0.0.1:{own}/metrics"));
        Assert.That(metrics.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    // Attack: somebody without a key asks what is broken, and learns hosts, ports and logins.
    [Test]
    public async Task Anybody_learns_the_status_alone_and_only_the_own_port_says_what_the_checks_found()
    {
        const string Detail = "PostgreSQL at 10.1.2.3:5432 refuses the login of orders_api.";
        var (open, own) = (FreePort.Take(), FreePort.Take());
        await using var host = await StartAsync(
            builder =>
                builder
                    .Services.AddHealthChecks()
                    .AddCheck("database", () => HealthCheckResult.Unhealthy(Detail), [WorkerHost.Ready]),
            ("urls", $"http://127.0.0.1:{open}"),
            ("Metrics:Port", $"{own}")
        );
        using var http = new HttpClient();
        foreach (var address in new[] { $"127.0.0.1:{open}", $"127.0.0.1:{own}" })
        {
            using var asked = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{open}/health/ready");
            asked.Headers.Host = address;
            using var answer = await http.SendAsync(asked);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
            Assert.That(
                await answer.Content.ReadAsStringAsync(),
                Is.EqualTo("""{"status":"Unhealthy"}"""),
                $"Host: {address}"
            );
        }

        using var inside = await http.GetAsync(new Uri($"http://127.0.0.1:{own}/health/ready"));
        Assert.That(inside.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(await inside.Content.ReadAsStringAsync(), Does.Contain(Detail));
    }

    [TestCase("none", "must be a port")]
    [TestCase("0", "must be a port")]
    [TestCase("65536", "must be a port")]
    [TestCase("-1", "must be a port")]
    [TestCase("8080", "another port")]
    public void A_port_that_cannot_be_is_refused_at_the_start(string port, string expected) =>
        Assert.That(
            () => Build(("http_ports", "8080"), ("Metrics:Port", port)),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("Metrics__Port")
                .And.Message.Contains(expected)
        );

    private static Task<WebApplication> StartAsync(params (string Name, string? Value)[] settings) =>
        StartAsync(_ => { }, settings);

    private static async Task<WebApplication> StartAsync(
        Action<WebApplicationBuilder> add,
        params (string Name, string? Value)[] settings
    )
    {
        var host = Build(add, settings);
        await host.StartAsync();
        return host;
    }

    private static WebApplication Build(params (string Name, string? Value)[] settings) => Build(_ => { }, settings);

    private static WebApplication Build(
        Action<WebApplicationBuilder> add,
        params (string Name, string? Value)[] settings
    )
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Name, s => s.Value));
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        builder.Services.AddQueueWorkersTelemetry(builder.Configuration, "a-test");
        builder.Services.AddHealthChecks();
        MetricsPort.AddTo(builder);
        add(builder);
        var host = builder.Build();
        host.UseRouting();
        host.MapGet("/hello", () => "hello");
        host.MapWorkerHost();
        return host;
    }
}
