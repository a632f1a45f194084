using Npgsql;
using Orders.Infrastructure.Intake;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;

namespace Orders.Testing;

/// <summary>Orders to test with.</summary>
public static class SampleOrders
{
    /// <summary>A mask that no catalogue of tests fills: the order waits for ever.</summary>
    public const int AllSteps = 0x3fffffff;

    /// <summary>The secret of the installations of tests.</summary>
    public const string Secret = "aG91c2VzLWFuZC1nYXJkZW5zLWluLXRlc3Rz";

    /// <summary>What an installation with that secret tells customers apart by.</summary>
    public static PersonalDataHash Personal { get; } = new(Secret);

    /// <summary>A valid order.</summary>
    /// <param name="requiredSteps">The steps it needs, as a mask.</param>
    /// <param name="lines">Articles and quantities; two lines unless said otherwise.</param>
    public static NewOrder New(int requiredSteps, params (string Sku, int Quantity)[] lines) =>
        new()
        {
            ClientId = "tests",
            CustomerName = "Zoë Müller",
            CustomerEmail = "zoe@example.com",
            Lines =
            [
                .. (lines is [] ? [("MUG-BLUE", 2), ("TEA-GREEN-100", 1)] : lines).Select(l => new NewOrderLine(
                    l.Item1,
                    l.Item1,
                    l.Item2,
                    9.90m,
                    l.Item1.StartsWith("TEA-", StringComparison.Ordinal) ? 7m : 19m
                )),
            ],
            Currency = "EUR",
            ShipLine1 = "Hafenstr. 1",
            ShipCity = "Hamburg",
            ShipPostalCode = "20457",
            ShipCountry = "DE",
            RequiredSteps = requiredSteps,
        };

    /// <summary>The mask of all steps of the catalogue, as the API takes it from the database.</summary>
    public static Task<int> RequiredStepsAsync(this OrdersSystem system) =>
        system.Database.ScalarAsync<int>("select bit_or(bit) from step_catalogue where active and required");

    /// <summary>Stores an order as the API does, by a host whose relay sends its message.</summary>
    public static async Task<Guid> PostAsync(
        this OrdersSystem system,
        RunningHost host,
        params (string Sku, int Quantity)[] lines
    )
    {
        var order = New(await system.RequiredStepsAsync(), lines);
        var intake = (OrderIntake)host.Services.GetService(typeof(OrderIntake))!;
        Assert.That((await intake.AcceptAsync(order)).Outcome, Is.EqualTo(IntakeOutcome.Accepted));
        return order.Id;
    }

    /// <summary>
    /// Stores an order and nothing else: its message is thrown away, so that only what the test publishes runs.
    /// </summary>
    public static async Task<Guid> StoreAsync(this OrdersSystem system, params (string Sku, int Quantity)[] lines) =>
        (await system.StoreAsync([New(await system.RequiredStepsAsync(), lines)]))[0];

    /// <summary>The same for several orders at once.</summary>
    public static async Task<Guid[]> StoreAsync(this OrdersSystem system, IReadOnlyList<NewOrder> orders)
    {
        using var feed = new RelayFeed();
        await using (var source = NpgsqlDataSource.Create(system.Database.ConnectionString))
        await using (var intake = new OrderIntake(source, feed, Personal))
            await Task.WhenAll(orders.Select(intake.AcceptAsync));
        await system.Database.ExecuteAsync(
            "delete from outbox where correlation_id = any($1)",
            (object)orders.Select(o => o.Id.ToString()).ToArray()
        );
        return [.. orders.Select(o => o.Id)];
    }
}
