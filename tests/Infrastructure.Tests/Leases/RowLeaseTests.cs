using Npgsql;
using Orders.Testing;
using QueueWorkers.Leases;

namespace Orders.Infrastructure.Tests.Leases;

/// <summary>Who holds a name, and what ends that.</summary>
public sealed class RowLeaseTests : SystemFixture
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    // Renewed each time that a third of it has passed: a process that a busy machine holds up for a while still has it.
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(9);

    private NpgsqlDataSource Database => TestSystem.Database.Source;

    [Test]
    public async Task One_of_many_gets_it()
    {
        var name = $"{Guid.NewGuid()}";
        var taken = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => RowLease.TryTakeAsync(Database, name, Long, CancellationToken.None))
        );
        Assert.That(taken.Count(l => l is not null), Is.EqualTo(1));
        foreach (var lease in taken.OfType<RowLease>())
            await lease.DisposeAsync();
        Assert.That(await HeldAsync(name), Is.Zero, "rows after its release");
    }

    [Test]
    public async Task A_holder_keeps_it_longer_than_its_duration()
    {
        var name = $"{Guid.NewGuid()}";
        await using var lease = (await RowLease.TryTakeAsync(Database, name, Short, CancellationToken.None))!;
        var first = (await RowLease.HeldUntilAsync(Database, name, CancellationToken.None))!.Value;
        await Eventually.That(
            () => RowLease.HeldUntilAsync(Database, name, CancellationToken.None),
            Is.GreaterThan(first + Short),
            "the end of a lease that is renewed",
            TimeSpan.FromMinutes(1)
        );
        Assert.That(
            await RowLease.TryTakeAsync(Database, name, Short, CancellationToken.None),
            Is.Null,
            "somebody else takes it"
        );
        Assert.That(lease.Lost.IsCancellationRequested, Is.False);
    }

    [Test]
    public async Task A_dead_holders_lease_ends_by_itself()
    {
        var name = $"{Guid.NewGuid()}";
        await TestSystem.Database.ExecuteAsync(
            "insert into leases (name, holder, until) values ($1, gen_random_uuid(), clock_timestamp() + interval '1 hour')",
            name
        );
        Assert.That(
            await RowLease.TryTakeAsync(Database, name, Long, CancellationToken.None),
            Is.Null,
            "before its end"
        );
        await TestSystem.Database.ExecuteAsync(
            "update leases set until = clock_timestamp() + interval '0.5 seconds' where name = $1",
            name
        );
        RowLease? lease = null;
        await Eventually.That(
            async () => (lease = await RowLease.TryTakeAsync(Database, name, Long, CancellationToken.None)) is not null,
            Is.True,
            "taken after its end"
        );
        await lease!.DisposeAsync();
    }

    [Test]
    public async Task Who_was_overtaken_is_told_and_leaves_the_successor_alone()
    {
        var name = $"{Guid.NewGuid()}";
        await using var stalled = (await RowLease.TryTakeAsync(Database, name, Long, CancellationToken.None))!;
        await TestSystem.Database.ExecuteAsync(
            "update leases set until = clock_timestamp() - interval '1 second' where name = $1",
            name
        );
        await using var successor = (await RowLease.TryTakeAsync(Database, name, Long, CancellationToken.None))!;

        Assert.That(await stalled.RenewAsync(CancellationToken.None), Is.False, "renewed");
        Assert.That(stalled.Lost.IsCancellationRequested, Is.True, "told");
        Assert.That(await stalled.ReleaseAsync(), Is.False, "released");
        Assert.That(await successor.RenewAsync(CancellationToken.None), Is.True, "the successor still has it");
    }

    private Task<long> HeldAsync(string name) => TestSystem.Database.CountAsync("leases where name = $1", name);
}
