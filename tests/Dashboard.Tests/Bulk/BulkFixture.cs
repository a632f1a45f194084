using System.Globalization;
using System.Text.Json.Nodes;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>
/// A dashboard that works off bulk actions, and messages that stay in the outbox, where they can be counted. The orders
/// of each test belong to a client of their own.
/// </summary>
internal abstract class BulkFixture : DashboardFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Failures:Index", "false"), ("Outbox:Relay", "false")];

    /// <summary>Stores orders of a client.</summary>
    protected async Task<Guid[]> OrdersAsync(string client, int count)
    {
        var steps = await TestSystem.RequiredStepsAsync();
        return await TestSystem.StoreAsync([
            .. Enumerable
                .Range(0, count)
                .Select(_ => SampleOrders.New(steps, ("MUG-BLUE", 1)) with { ClientId = client }),
        ]);
    }

    /// <summary>Rehearses, and says what came of it.</summary>
    protected async Task<JsonNode> RehearseAsync(object request)
    {
        var answer = await PostAsync("/api/bulk-actions", OperatorsKey, request);
        Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
        return answer.Body;
    }

    /// <summary>Rehearses the cancellation of a client's orders.</summary>
    protected Task<JsonNode> RehearseCancellingAsync(string client, int perSecond = 1000) =>
        RehearseAsync(
            new
            {
                kind = "cancel-orders",
                filter = new { client },
                perSecond,
            }
        );

    /// <summary>Confirms a rehearsal with its number.</summary>
    protected Task<Answer> ConfirmAsync(JsonNode rehearsal, string reason = "the supplier is bankrupt") =>
        PostAsync($"{AddressOf(rehearsal)}/confirm", OperatorsKey, new { expect = Number(rehearsal, "total"), reason });

    /// <summary>Waits until a bulk action has come to a state, and returns it.</summary>
    protected async Task<JsonNode> UntilAsync(JsonNode action, string state, TimeSpan? within = null)
    {
        await Eventually.That(
            async () => (await GetAsync(AddressOf(action), ViewerKey)).Body["state"]!.GetValue<string>(),
            Is.EqualTo(state),
            "state of the bulk action",
            within
        );
        return (await GetAsync(AddressOf(action), ViewerKey)).Body;
    }

    /// <summary>Total, done, skipped, refused, left.</summary>
    protected static (int Total, int Done, int Skipped, int Refused, int Left) Counts(JsonNode action) =>
        (
            Number(action, "total"),
            Number(action, "done"),
            Number(action, "skipped"),
            Number(action, "refused"),
            Number(action, "left")
        );

    protected static string AddressOf(JsonNode action) =>
        string.Create(CultureInfo.InvariantCulture, $"/api/bulk-actions/{action["id"]!.GetValue<Guid>()}");

    protected static int Number(JsonNode action, string name) => action[name]!.GetValue<int>();

    /// <summary>Orders of a client that are cancelled.</summary>
    protected Task<long> CancelledAsync(string client) =>
        TestSystem.Database.CountAsync(
            "orders o join order_progress p on p.order_id = o.id where o.client_id = $1 and p.cancelled_at is not null",
            client
        );

    /// <summary>Messages that tell the steps of a client's orders to undo what they did, and of how many orders.</summary>
    protected async Task<(long Messages, long Orders)> ToldAsync(string client)
    {
        var row = (
            await TestSystem.Database.RowsAsync(
                """
                select count(*), count(distinct b.correlation_id) from outbox b join orders o
                    on o.id::text = b.correlation_id
                where o.client_id = $1 and b.exchange = 'Orders.Contracts:OrderCancelled'
                """,
                client
            )
        )[0];
        return ((long)row[0]!, (long)row[1]!);
    }
}
