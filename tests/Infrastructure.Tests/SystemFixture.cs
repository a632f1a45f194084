using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests;

/// <summary>A fixture with an installation of its own, deployed for the zoo.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
public abstract class SystemFixture
{
    protected OrdersSystem TestSystem { get; private set; } = null!;

    protected virtual StepCatalogue Catalogue => ZooCatalogue.Of();

    [OneTimeSetUp]
    public async Task Deploy() => TestSystem = await OrdersSystem.CreateAsync(Catalogue);

    [OneTimeTearDown]
    public async Task Remove()
    {
        if (TestSystem is not null)
            await TestSystem.DisposeAsync();
    }

    /// <summary>Message ids of what has come to a listener, in order; taken out of it.</summary>
    protected async Task<List<Guid>> ArrivedAsync(string listener) =>
        [.. (await TestSystem.Broker.TakeAllAsync(listener)).Select(m => Guid.Parse(m.BasicProperties.MessageId!))];

    /// <summary>
    /// Checks that each of the messages has come to a listener once, after the outbox is empty. The relay sends a
    /// second time what the broker has not confirmed in time, and only that: a test that runs on a slow disk is not to
    /// fail for it. <see cref="KeepOutboxHistory"/> comes first.
    /// </summary>
    protected async Task EachArrivedOnceAsync(string listener, IEnumerable<Guid> messages)
    {
        await TestSystem.UntilOutboxIsEmptyAsync();
        var arrived = await ArrivedAsync(listener);
        var unconfirmed = (
            await TestSystem.Database.RowsAsync(
                "select distinct message_id from outbox_history where last_error like '%did not confirm%in time%'"
            )
        )
            .Select(r => (Guid)r[0]!)
            .ToHashSet();
        Assert.That(
            arrived.Where(id => !unconfirmed.Contains(id)).Concat(arrived.Where(unconfirmed.Contains).Distinct()),
            Is.EquivalentTo(messages),
            "messages arrived, each once"
        );
    }

    /// <summary>Keeps what was written of each outbox row, and the wait in seconds until it was due.</summary>
    protected Task KeepOutboxHistory() =>
        TestSystem.Database.KeepHistoryAsync(
            "outbox",
            "new.id, new.message_id, new.attempts, new.last_error, extract(epoch from new.due_at - statement_timestamp())::float8 as wait"
        );

    /// <summary>Waits until a listener holds so many messages.</summary>
    protected Task UntilArrivedAsync(string listener, int count, TimeSpan? within = null) =>
        Eventually.That(
            () => TestSystem.Broker.CountAsync(listener),
            Is.EqualTo((uint)count),
            "messages arrived",
            within
        );
}
