using Orders.Infrastructure.Reading;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Reading;

/// <summary>Runs that read their orders at the same moment share a statement, and each gets its own.</summary>
public sealed class OrderSnapshotReaderTests : InstallationFixture
{
    [Test]
    public async Task Of_many_read_at_once_each_run_gets_its_own_order_and_a_missing_one_is_missing_only_to_its_run()
    {
        await using var reader = new OrderSnapshotReader(TestSystem.Database.Source);
        var few = await TestSystem.StoreAsync(("MUG-BLUE", 1));
        var many = await TestSystem.StoreAsync(("TEA-GREEN-100", 2), ("MUG-BLUE", 3));
        var missing = Guid.CreateVersion7();
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state) values ($1, 'warehouse', $2, 'warehouse', 2)",
            few,
            Guid.NewGuid()
        );

        var reads = Enumerable.Range(0, 30).Select(i => reader.ReadAsync(i % 2 == 0 ? few : many, default)).ToArray();
        var lost = reader.ReadAsync(missing, default);
        var (done, notDone) = (
            reader.ReadUnlessDoneAsync(few, "warehouse", default),
            reader.ReadUnlessDoneAsync(many, "warehouse", default)
        );

        Assert.That(
            async () => await lost,
            Throws.TypeOf<PermanentFaultException>().With.Message.Contains($"{missing}")
        );
        var orders = await Task.WhenAll(reads);
        for (var i = 0; i < orders.Length; i++)
        {
            Assert.That(orders[i].OrderId, Is.EqualTo(i % 2 == 0 ? few : many));
            Assert.That(
                orders[i].Lines.Select(l => (l.Sku, l.Quantity)),
                Is.EqualTo(i % 2 == 0 ? [("MUG-BLUE", 1)] : new[] { ("TEA-GREEN-100", 2), ("MUG-BLUE", 3) })
            );
        }

        Assert.That(await done, Is.Null);
        Assert.That((await notDone)!.OrderId, Is.EqualTo(many));
    }
}
