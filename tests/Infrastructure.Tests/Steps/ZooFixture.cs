using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A fixture with a host that runs scripted steps.</summary>
public abstract class ZooFixture(string steps) : SystemFixture
{
    protected StepScript Script { get; } = new();

    protected RunningHost Host { get; private set; } = null!;

    protected virtual void Configure(IServiceCollection services) { }

    [OneTimeSetUp]
    public async Task RunTheSteps() => Host = await StartAnotherAsync();

    protected Task<RunningHost> StartAnotherAsync() =>
        TestSystem.StartAsync([.. TestSystem.Catalogue.Choose(steps).Select(Script.In)], Configure);

    /// <summary>Delivers a message to a step.</summary>
    protected Task DeliverAsync<T>(string step, T message, ByHand? how = null)
        where T : class => TestSystem.Broker.PublishToAsync(step, message, how);

    protected async Task<int> DeadLetteredAsync(string step, Guid subject) =>
        (await TestSystem.Broker.PeekAllAsync($"{step}_error")).Count(m =>
            System.Text.Encoding.UTF8.GetString(m.Body.Span).Contains(subject.ToString(), StringComparison.Ordinal)
        );
}
