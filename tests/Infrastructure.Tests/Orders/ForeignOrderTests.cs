using System.Text.Json.Nodes;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Reading;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>
/// A client that asks for another client's order by its id: the answer is that there is none, and the database does the
/// same work as if there were none, so that the time does not tell the difference.
/// </summary>
public sealed class ForeignOrderTests : SystemFixture
{
    private static readonly TestCaseData[] Statements =
    [
        .. OrderViewReader.Statements.Select((sql, i) => new TestCaseData(sql).SetArgDisplayNames($"order {i}")),
        new TestCaseData(InvoiceDocumentReader.Invoice).SetArgDisplayNames("invoice"),
        new TestCaseData(InvoiceDocumentReader.CreditNote).SetArgDisplayNames("credit note"),
        new TestCaseData(OrderChangesReader.Owned).SetArgDisplayNames("events"),
        new TestCaseData(OrderCancellation.Lock).SetArgDisplayNames("cancellation"),
    ];

    [TestCaseSource(nameof(Statements))]
    public async Task Probing_for_another_clients_order_costs_what_probing_for_none_costs(string sql)
    {
        var order = await TestSystem.StoreAsync();
        var owner = await TestSystem.Database.ScalarAsync<string>("select client_id from orders where id = $1", order);
        var foreign = await WorkAsync(sql, order, "stranger");
        Assert.That(foreign, Is.EqualTo(await WorkAsync(sql, Guid.NewGuid(), "stranger")));
        Assert.That(foreign, Is.Not.EqualTo(await WorkAsync(sql, order, owner)), "an order of one's own");
    }

    // Each node of the plan, how often it ran and how many rows it gave.
    private async Task<List<string>> WorkAsync(string sql, Guid order, string client)
    {
        var plan = await TestSystem.Database.ScalarAsync<string>(
            $"explain (analyze, format json, timing off, summary off, buffers off) {sql}",
            order,
            client
        );
        var nodes = new List<string>();
        Add(JsonNode.Parse(plan)![0]!["Plan"]!);
        return nodes;

        void Add(JsonNode node)
        {
            nodes.Add($"{node["Node Type"]} {node["Relation Name"]}: {node["Actual Rows"]} x {node["Actual Loops"]}");
            foreach (var inner in node["Plans"]?.AsArray() ?? [])
                Add(inner!);
        }
    }
}
