using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Orders.Infrastructure;
using Orders.Testing;
using Orders.Testing.Tracing;
using Orders.Workers.Tests.Flow;
using QueueWorkers.DeadLetters;
using QueueWorkers.Operators;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Tracing;

/// <summary>
/// An order whose mail fails twice and more, is redelivered, is dead-lettered, and is redriven after a restart of all
/// processes: one trace, from the request to the mail. The processes are real ones and export by OTLP over HTTP.
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class RealReceiverTests : InstallationFixture
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private const string Order = """
        { "customer": { "name": "Zoë Müller", "email": "zoe@example.com" }, "lines": [ { "sku": "MUG-BLUE", "quantity": 1 } ], "currency": "EUR",
          "shippingAddress": { "line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE" } }
        """;

    [Test]
    public async Task An_order_that_is_redelivered_and_redriven_after_a_restart_arrives_as_one_trace()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await BehaveAsync("fullmailbox");
        Guid order;
        await using (var api = await StartAsync("Producer.Api", receiver))
        await using (var worker = await StartAsync("Workers", receiver))
        {
            order = await PostAsync(api);
            await TestSystem.EventuallyFastForwardingAsync(
                () => TestSystem.AttemptsAsync(order, "email"),
                Is.AtLeast(2),
                "attempts on the mail",
                Patience
            );
            await BehaveAsync("reject");
            await TestSystem.EventuallyFastForwardingAsync(
                () => TestSystem.StatusAsync(order, "email"),
                Is.EqualTo(StepStatus.Failed),
                "status of the mail",
                Patience
            );
            // In order: what they have not exported yet goes out with their end.
            Assert.That((await api.TerminateAsync()).Code, Is.Zero, "exit code of the API");
            Assert.That((await worker.TerminateAsync()).Code, Is.Zero, "exit code of the worker");
        }

        var failed = await TestSystem.AttemptsAsync(order, "email");
        await BehaveAsync("ok");
        await using var restarted = await StartAsync("Workers", receiver);
        await using var dashboard = await StartAsync(
            "Dashboard",
            receiver,
            ("Failures:Interval", "00:00:00.200"),
            ("Failures:Grace", "00:00:02")
        );
        await RedriveAsync(dashboard);
        await TestSystem.UntilAsync(order, OrderStatus.Completed, Patience);
        await Eventually.Is(
            () => OneTrace.IsComplete(TraceTree.About(receiver.Spans, order)),
            "all of the order's trace has arrived",
            Patience
        );

        var trace = TraceTree.About(receiver.Spans, order);
        await TestContext.Out.WriteLineAsync(trace.ToString());
        OneTrace.Verify(trace, failed);
        Assert.That(receiver.Refused, Is.Empty, "requests that were none of OTLP");
        Assert.That(
            trace.Spans.Select(s => s.Process).Distinct(),
            Is.SupersetOf(new[] { trace.Roots[0].Process, "orders-workers" }).And.None.Empty,
            "processes in the trace"
        );
    }

    private Task<WorkerProcess> StartAsync(
        string host,
        OtlpReceiver receiver,
        params (string Name, string? Value)[] settings
    ) =>
        WorkerProcess.StartAsync(
            host,
            TestSystem.Settings([
                .. Towards(World),
                ("Workers:Steps", "*"),
                ("ASPNETCORE_ENVIRONMENT", "Development"),
                .. receiver.Settings,
                .. settings,
            ])
        );

    private async Task BehaveAsync(string mode)
    {
        using var http = new HttpClient { BaseAddress = World.BaseUri };
        using var answer = await http.PutAsJsonAsync("behaviour", new { smtp = new { mode } });
        Assert.That(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private async Task<Guid> PostAsync(WorkerProcess api)
    {
        var key = ApiKeys.NewKey();
        await TestSystem.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, 'tests', $2, array['orders:write', 'orders:read'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(key)
        );
        using var http = Client(api, key);
        using var body = new StringContent(Order, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri("/orders", UriKind.Relative), body);
        Assert.That((int)answer.StatusCode, Is.EqualTo(202), await answer.Content.ReadAsStringAsync());
        return await TestSystem.Database.ScalarAsync<Guid>("select id from orders");
    }

    private async Task RedriveAsync(WorkerProcess dashboard)
    {
        var key = OperatorKey.NewKey();
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "otto",
            OperatorRole.Operator,
            null,
            key,
            default
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where state = $1", (short)FailureState.Failed),
            Is.EqualTo(1),
            "failures",
            Patience
        );
        using var http = Client(dashboard, key);
        using var answer = await http.PostAsJsonAsync(
            "/api/redrives",
            new
            {
                filter = new { step = "email" },
                reason = "The mail server takes this address again.",
                start = true,
                expect = 1,
            }
        );
        Assert.That((int)answer.StatusCode, Is.EqualTo(201), await answer.Content.ReadAsStringAsync());
    }

    // Like a client without traces: the request is where its trace begins.
    private static HttpClient Client(WorkerProcess host, string key) =>
        new(new SocketsHttpHandler { ActivityHeadersPropagator = null })
        {
            BaseAddress = host.Address,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
        };
}
