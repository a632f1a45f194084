using Orders.Chaos.Checking;
using Orders.Chaos.Clients;

namespace Orders.Chaos.Tests.Clients;

public sealed class HistoryTests
{
    private static readonly Guid Id = Guid.NewGuid();

    [Test]
    public void An_answer_after_a_silence_is_an_acceptance() =>
        Assert.That(Folded(Event(HistoryEvent.Unknown), Event(HistoryEvent.Ok, Id)), Is.EqualTo((Outcome.Accepted, 1)));

    [Test]
    public void A_silence_leaves_it_open() =>
        Assert.That(Folded(Event(HistoryEvent.Unknown)), Is.EqualTo((Outcome.Unknown, 0)));

    [Test]
    public void A_refusal_after_a_silence_is_a_refusal() =>
        Assert.That(Folded(Event(HistoryEvent.Unknown), Event(HistoryEvent.Failed)), Is.EqualTo((Outcome.Refused, 0)));

    [Test]
    public void Two_ids_under_one_key_are_remembered() =>
        Assert.That(
            Folded(Event(HistoryEvent.Ok, Id), Event(HistoryEvent.Ok, Guid.NewGuid())),
            Is.EqualTo((Outcome.Accepted, 2))
        );

    [Test]
    public async Task A_history_can_be_read_back()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using (var history = new History(file))
            {
                history.Add(First());
                history.Add(Event(HistoryEvent.Ok, Id));
            }

            var read = History.Fold(await History.ReadAsync(file));
            Assert.That(
                read.Single(),
                Has.Property(nameof(PostedOrder.Address))
                    .EqualTo("a@example.com")
                    .And.Property(nameof(PostedOrder.OrderIds))
                    .EqualTo(new[] { Id })
                    .And.Property(nameof(PostedOrder.Lines))
                    .EqualTo(new[] { new Line("MUG-BLUE", 2) })
            );
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void An_order_of_a_book_is_the_same_each_time_and_no_two_share_an_address()
    {
        var orders = Enumerable.Range(1, 2000).Select(n => new OrderRegistry(1).Order(n)).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(new OrderRegistry(1).Order(77).Body, Is.EqualTo(orders[76].Body));
            Assert.That(orders.Select(o => o.Address), Is.Unique);
            Assert.That(orders.Count(o => o.Lines.Count == 0), Is.InRange(20, 70), "wrong on purpose");
            Assert.That(
                orders.Count(o => o.Lines.Any(l => l.Sku == "BOWL-EMPTY")),
                Is.InRange(20, 70),
                "to be rejected"
            );
        });
    }

    private static (Outcome, int) Folded(params IEnumerable<HistoryEvent> events)
    {
        var order = History.Fold([First(), .. events]).Single();
        return (order.Outcome, order.OrderIds.Count);
    }

    private static HistoryEvent First() =>
        new(DateTimeOffset.UtcNow, HistoryEvent.Invoked, "key-1", 1, "a@example.com", [new Line("MUG-BLUE", 2)]);

    private static HistoryEvent Event(string name, Guid? id = null) =>
        new(DateTimeOffset.UtcNow, name, "key-1", 1, OrderId: id);
}
