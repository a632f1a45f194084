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

    /// <summary>Waits until a listener holds so many messages.</summary>
    protected Task UntilArrivedAsync(string listener, int count, TimeSpan? within = null) =>
        Eventually.That(
            () => TestSystem.Broker.CountAsync(listener),
            Is.EqualTo((uint)count),
            "messages arrived",
            within
        );
}
