using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Orders.Testing;

namespace Orders.Architecture.Tests.Containers;

/// <summary>
/// Every secret of an installation is changed as docs/security.md says, while orders are posted: each order is completed,
/// and nothing is dead-lettered.
/// </summary>
[Category("Long")]
[Platform("Linux")]
[NonParallelizable]
public sealed partial class SecretRotationTests
{
    private const string Order = """
        {"customer":{"name":"Zoë Müller","email":"zoe@example.com"},"lines":[{"sku":"MUG-BLUE","quantity":1}],"currency":"EUR","shippingAddress":{"line1":"Hafenstr. 1","city":"Hamburg","postalCode":"20457","country":"DE"}}
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentQueue<string> _accepted = new();
    private RunningInstallation _system = null!;

    [OneTimeSetUp]
    public async Task OpenAsync() => _system = await ContainersSetUp.InstallationAsync();

    [Test]
    public async Task Every_secret_is_changed_under_traffic_and_every_order_is_completed()
    {
        if (!_system.IsOurs)
            Assert.Ignore("It changes secrets, and the installation belongs to somebody else.");
        var (oldKey, oldOperator) = (_system.Secret("ORDERS_API_KEY"), _system.Secret("ORDERS_OPERATOR_KEY"));
        using var stop = new CancellationTokenSource();
        var posting = PostAsync(oldKey, stop.Token);
        try
        {
            // By deploy and a restart: those of the processes, of operators and clients, and of the warehouse.
            foreach (var name in RunningInstallation.SecretNames.Where(n => Process().IsMatch(n)))
                _system.Change(name, NewSecret());
            _system.Change("Warehouse__PreviousSecret", _system.Secret("WAREHOUSE_SECRET"));
            _system.Change("WAREHOUSE_SECRET", $"whsec_{Convert.ToBase64String(Encoding.UTF8.GetBytes(NewSecret()))}");
            _system.Change("PersonalData__PreviousSecrets", _system.Secret("PERSONAL_DATA_SECRET"));
            _system.Change("PERSONAL_DATA_SECRET", NewSecret());
            _system.Change("ORDERS_API_KEY", $"ok_{NewSecret()}");
            _system.Change("ORDERS_OPERATOR_KEY", $"op_{NewSecret()}");
            _system.Change("ORDERS_ADMIN_PASSWORD", NewSecret());
            await _system.DevAsync("up");

            // At the servers first, which read them only when their data is made.
            var owner = NewSecret();
            await ExecAsync(
                "postgres",
                "psql",
                "-U",
                "orders_owner",
                "orders",
                "-c",
                $"alter role orders_owner password '{owner}'"
            );
            _system.Change("POSTGRES_OWNER_PASSWORD", owner);
            var admin = NewSecret();
            await ExecAsync("rabbitmq", "rabbitmqctl", "change_password", "orders_admin", admin);
            _system.Change("RABBITMQ_ADMIN_PASSWORD", admin);
            _system.Change("Warehouse__PreviousSecret", "");
            await _system.DevAsync("up");
        }
        finally
        {
            await stop.CancelAsync();
        }

        await posting;
        Assert.That(_accepted, Has.Count.GreaterThan(20), "orders accepted meanwhile");
        await EachIsCompletedAsync(_system.Secret("ORDERS_API_KEY"));
        Assert.Multiple(async () =>
        {
            Assert.That(
                await StatusAsync("API_PORT", "catalogue", oldKey),
                Is.EqualTo(HttpStatusCode.OK),
                "old API key"
            );
            Assert.That(
                await StatusAsync("DASHBOARD_PORT", "api/failures", oldOperator),
                Is.EqualTo(HttpStatusCode.Unauthorized),
                "old operator key"
            );
        });
        using var operators = Client("DASHBOARD_PORT", _system.Secret("ORDERS_OPERATOR_KEY"));
        Assert.That(
            await operators.GetStringAsync(new Uri("api/failures", UriKind.Relative)),
            Does.Not.Contain("\"fingerprint\"")
        );
    }

    // A client does what the API's page says: after 503 and after no answer it posts again, with the same key.
    private async Task PostAsync(string key, CancellationToken stop)
    {
        using var http = Client("API_PORT", key);
        var idempotencyKey = Guid.NewGuid();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "orders")
                {
                    Content = new StringContent(Order, Encoding.UTF8, "application/json"),
                };
                request.Headers.Add("Idempotency-Key", $"{idempotencyKey}");
                using var answer = await http.SendAsync(request, CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    _accepted.Enqueue(
                        Id().Match(await answer.Content.ReadAsStringAsync(CancellationToken.None)).Groups[1].Value
                    );
                    idempotencyKey = Guid.NewGuid();
                }
                else
                {
                    Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable), "answer to a post");
                }
            }
            catch (Exception away) when (away is HttpRequestException or OperationCanceledException)
            {
                // The API is being restarted.
            }

            // The rate of the load; nothing is waited for.
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task EachIsCompletedAsync(string key)
    {
        using var http = Client("API_PORT", key);
        var open = _accepted.ToHashSet();
        await Eventually.That(
            async () =>
            {
                foreach (var id in open.ToArray())
                {
                    using var order = JsonDocument.Parse(
                        await http.GetStringAsync(new Uri($"orders/{id}", UriKind.Relative))
                    );
                    if (order.RootElement.GetProperty("status").GetString() == "Completed")
                        open.Remove(id);
                }

                return open;
            },
            Is.Empty,
            $"orders that are not completed, of {_accepted.Count}",
            TimeSpan.FromMinutes(4)
        );
    }

    private async Task<HttpStatusCode> StatusAsync(string port, string path, string key)
    {
        using var http = Client(port, key);
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    private HttpClient Client(string port, string key)
    {
        var http = new HttpClient
        {
            BaseAddress = new Uri($"http://127.0.0.1:{_system.Secret(port)}/"),
            Timeout = TimeSpan.FromSeconds(30),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    private Task<string> ExecAsync(string service, params string[] command) =>
        RunningInstallation.DockerAsync(["exec", $"{_system.Project}-{service}-1", .. command]);

    private static string NewSecret() => $"{Guid.NewGuid():N}{Guid.NewGuid():N}"[..43];

    [GeneratedRegex("_(DB|MQ)_PASSWORD$")]
    private static partial Regex Process();

    [GeneratedRegex("\"id\":\"([0-9a-f-]{36})\"")]
    private static partial Regex Id();
}
