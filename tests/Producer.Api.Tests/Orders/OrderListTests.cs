using System.Globalization;
using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class OrderListTests : ApiFixture
{
    private readonly List<Guid> _posted = [];

    [OneTimeSetUp]
    public async Task PostOrdersAsync()
    {
        for (var i = 0; i < 7; i++)
            _posted.Add(await OrderAsync());
        await OrderAsync(Bob);
        await Database.ExecuteAsync(
            "update order_progress set done = 15, completed_at = now() where order_id = $1",
            _posted[1]
        );
        await Database.ExecuteAsync("update order_progress set failed = 1 where order_id = $1", _posted[2]);
        await Database.ExecuteAsync("update order_progress set rejected_at = now() where order_id = $1", _posted[3]);
        await Database.ExecuteAsync("update order_progress set cancelled_at = now() where order_id = $1", _posted[4]);
        await Database.ExecuteAsync("update order_progress set done = 1 where order_id = $1", _posted[5]);
    }

    [Test]
    public async Task Shows_a_clients_own_orders_the_newest_first()
    {
        var page = (await GetAsync("/orders")).Body;
        Assert.That(Ids(page), Is.EqualTo(_posted.AsEnumerable().Reverse()));
        Assert.That(page["nextCursor"], Is.Null);
        Assert.That(
            page["orders"]![0]!.AsObject().Select(m => m.Key),
            Is.EqualTo(new[] { "id", "number", "status", "premium", "total", "currency", "createdAt", "completedAt" })
        );
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(7)]
    [TestCase(200)]
    public async Task Pages_join_without_gap_or_repetition(int limit)
    {
        var seen = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await GetAsync($"/orders?limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}")).Body;
            var ids = Ids(page).ToArray();
            Assert.That(ids, Has.Length.InRange(1, limit));
            seen.AddRange(ids);
            cursor = page["nextCursor"]?.GetValue<string>();
        } while (cursor is not null);
        Assert.That(seen, Is.EqualTo(_posted.AsEnumerable().Reverse()));
    }

    [Test]
    public async Task An_order_posted_meanwhile_does_not_shift_the_pages()
    {
        var first = (await GetAsync("/orders?limit=3", Bob)).Body;
        Assert.That(Ids(first).Count(), Is.EqualTo(1));
        var old = (await GetAsync("/orders?limit=3")).Body;
        await OrderAsync(Bob);
        Assert.That(
            Ids((await GetAsync($"/orders?limit=3&cursor={old["nextCursor"]}")).Body),
            Is.EqualTo(_posted.AsEnumerable().Reverse().Skip(3).Take(3))
        );
    }

    [TestCase("Completed", 1)]
    [TestCase("NeedsAttention", 2)]
    [TestCase("Rejected", 3)]
    [TestCase("Cancelled", 4)]
    [TestCase("Processing", 5)]
    public async Task Shows_the_orders_of_a_status(string status, int which)
    {
        var page = (await GetAsync($"/orders?status={status}")).Body;
        Assert.That(Ids(page), Is.EqualTo(new[] { _posted[which] }));
        Assert.That(page["orders"]![0]!["status"]!.GetValue<string>(), Is.EqualTo(status));
    }

    [Test]
    public async Task Shows_the_orders_of_a_time()
    {
        var times = (await GetAsync("/orders")).Body["orders"]!
            .AsArray()
            .Select(o => o!["createdAt"]!.GetValue<string>())
            .ToArray();
        Assert.That(
            Ids((await GetAsync($"/orders?from={times[4]}&to={times[1]}")).Body),
            Is.EqualTo(_posted.AsEnumerable().Reverse().Skip(2).Take(3)),
            "from is within, to is not"
        );
        var offset = DateTimeOffset
            .Parse(times[4], CultureInfo.InvariantCulture)
            .ToOffset(TimeSpan.FromHours(5))
            .ToString("O", CultureInfo.InvariantCulture);
        Assert.That(Ids((await GetAsync($"/orders?from={Uri.EscapeDataString(offset)}")).Body).Count(), Is.EqualTo(5));
        Assert.That(
            Ids((await GetAsync("/orders?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z")).Body).Count(),
            Is.EqualTo(7)
        );
    }

    [TestCase("status=completed", "status")]
    [TestCase("status=2", "status")]
    [TestCase("status=", "status")]
    [TestCase("status=Accepted&status=Completed", "status")]
    [TestCase("limit=0", "limit")]
    [TestCase("limit=201", "limit")]
    [TestCase("limit=-1", "limit")]
    [TestCase("limit=1e2", "limit")]
    [TestCase("limit=99999999999", "limit")]
    [TestCase("cursor=x", "cursor")]
    [TestCase("cursor=AAAAAAAAAAAAAAAAAAAAA%0A", "cursor")]
    [TestCase("from=yesterday", "from")]
    [TestCase("from=2026-01-01", "from")]
    [TestCase("to=2026-01-01T00:00:00", "to")]
    [TestCase("offset=5", "")]
    [TestCase("status=x&limit=y&from=z", "status from limit")]
    public async Task A_bad_parameter_is_named(string query, string named)
    {
        var answer = await GetAsync($"/orders?{query}");
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
        Assert.That(answer.Pointers, Is.EquivalentTo(named.Split(' ')));
    }

    private static IEnumerable<Guid> Ids(JsonNode page) =>
        page["orders"]!.AsArray().Select(o => Guid.Parse(o!["id"]!.GetValue<string>()));
}
