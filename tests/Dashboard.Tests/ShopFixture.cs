using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Infrastructure.Intake;
using Orders.OutsideWorld;
using Orders.Testing.Servers;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests;

/// <summary>The same with the real steps and an outside world.</summary>
internal abstract class ShopFixture : DashboardFixture
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private readonly HttpClient _world = new();

    protected RunningWorld World { get; private set; } = null!;

    protected override StepCatalogue Catalogue => Workers.Steps.Catalogue;

    // What is missing in a queue counts as gone soon, and looks follow quickly: tests are short.
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Interval", "00:00:00.200"), ("Failures:Grace", "00:00:02")];

    [OneTimeSetUp]
    public async Task StartWorldAsync() => World = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Secret);

    [OneTimeTearDown]
    public async Task StopWorldAsync()
    {
        _world.Dispose();
        await World.DisposeAsync();
    }

    /// <summary>Starts a process with steps.</summary>
    protected Task<RunningHost> WorkAsync(string steps, params IEnumerable<(string Name, string? Value)> settings) =>
        TestSystem.StartAsync(steps, null, [.. Towards(), .. settings]);

    /// <summary>Settings with which the steps find the outside world.</summary>
    protected IEnumerable<(string Name, string? Value)> Towards() =>
        [
            ("Email:Smtp:Host", "127.0.0.1"),
            ("Email:Smtp:Port", $"{World.SmtpPort}"),
            ("Email:Smtp:Security", "None"),
            ("Email:From", "Orders <orders@orders.example>"),
            ("Email:ReceiptsOf", "127.0.0.1"),
            ("Email:ReceiptsUrl", new Uri(World.BaseUri, "mails").ToString()),
            ("Warehouse:Url", new Uri(World.BaseUri, "warehouse").ToString()),
            ("Warehouse:Secret", Secret),
        ];

    /// <summary>Makes the outside world behave.</summary>
    protected async Task BehaveAsync(object behaviour)
    {
        using var answer = await _world.PutAsJsonAsync(new Uri(World.BaseUri, "behaviour"), behaviour);
        Assert.That(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>How many mails each address has got.</summary>
    protected async Task<Dictionary<string, int>> MailsAsync()
    {
        var mails = JsonNode.Parse(await _world.GetStringAsync(new Uri(World.BaseUri, "mails")))!.AsArray();
        return mails
            .GroupBy(m => m!["to"] is JsonArray to ? to[0]!.GetValue<string>() : m!["to"]!.GetValue<string>())
            .ToDictionary(g => g.Key, g => g.Count());
    }

    /// <summary>Orders, each with a customer of its own.</summary>
    protected async Task<NewOrder[]> OrdersAsync(int count)
    {
        var steps = await TestSystem.RequiredStepsAsync();
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(n =>
                    SampleOrders.New(steps, ("MUG-BLUE", 1)) with
                    {
                        CustomerEmail = $"customer{n}@example.com",
                    }
                ),
        ];
    }

    /// <summary>Posts orders, as the API does.</summary>
    protected static async Task PostAsync(RunningHost host, IEnumerable<NewOrder> orders)
    {
        var intake = (OrderIntake)host.Services.GetService(typeof(OrderIntake))!;
        await Task.WhenAll(orders.Select(intake.AcceptAsync));
    }

    /// <summary>
    /// Dead-letters the message of each order as MassTransit does after <c>email</c> has given it up: as it was, with
    /// the fault in its transport headers.
    /// </summary>
    protected async Task DeadLetterAsync(IEnumerable<Guid> orders)
    {
        foreach (var order in orders)
        {
            var id = Guid.NewGuid();
            await TestSystem.Broker.PublishBytesAsync(
                "email_error",
                Envelope.Write(
                    new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                    id,
                    order,
                    id,
                    null,
                    DateTimeOffset.UtcNow
                ),
                new ByHand
                {
                    Id = id,
                    Headers = new()
                    {
                        ["MT-Reason"] = Encoding.UTF8.GetBytes("fault"),
                        ["MT-Fault-ExceptionType"] = Encoding.UTF8.GetBytes("System.IO.IOException"),
                        ["MT-Fault-Message"] = Encoding.UTF8.GetBytes($"No space left on device for {order}."),
                    },
                }
            );
        }
    }

    /// <summary>Waits until so many failures stand in a state.</summary>
    protected Task UntilFailuresAsync(
        QueueWorkers.DeadLetters.FailureState state,
        int count,
        TimeSpan? within = null
    ) =>
        Eventually.That(
            () => TestSystem.Database.CountAsync("failures where state = $1", (short)state),
            Is.EqualTo(count),
            $"failures {state}",
            within
        );

    /// <summary>Waits until a redrive is done, and returns it.</summary>
    protected async Task<JsonNode> UntilDoneAsync(string redrive, TimeSpan? within = null)
    {
        await Eventually.That(
            async () => (await GetAsync(redrive, ViewerKey)).Body["redrive"]!["stage"]!.GetValue<string>(),
            Is.EqualTo("Done"),
            "stage of the redrive",
            within
        );
        return (await GetAsync(redrive, ViewerKey)).Body;
    }
}
