using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests;

/// <summary>A fixture with an installation of its own, deployed for the zoo.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
public abstract class InASystem
{
    protected OrdersSystem System { get; private set; } = null!;

    protected virtual StepCatalogue Catalogue => ZooCatalogue.Of();

    [OneTimeSetUp]
    public async Task Deploy() => System = await OrdersSystem.CreateAsync(Catalogue);

    [OneTimeTearDown]
    public async Task Remove()
    {
        if (System is not null)
            await System.DisposeAsync();
    }

    /// <summary>Message ids of what has come to a listener, in order; taken out of it.</summary>
    protected async Task<List<Guid>> ArrivedAsync(string listener) =>
        [.. (await System.Broker.TakeAllAsync(listener)).Select(m => Guid.Parse(m.BasicProperties.MessageId!))];

    /// <summary>Waits until a listener holds so many messages.</summary>
    protected Task UntilArrivedAsync(string listener, int count, TimeSpan? within = null) =>
        Eventually.That(() => System.Broker.CountAsync(listener), Is.EqualTo((uint)count), "messages arrived", within);
}
