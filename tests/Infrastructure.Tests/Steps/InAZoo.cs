using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A fixture with a host that runs scripted steps.</summary>
public abstract class InAZoo(string steps) : InASystem
{
    protected StepScript Script { get; } = new();

    protected RunningHost Host { get; private set; } = null!;

    protected virtual void Configure(IServiceCollection services)
    {
    }

    [OneTimeSetUp]
    public async Task RunTheSteps() => Host = await StartAnotherAsync();

    protected Task<RunningHost> StartAnotherAsync() => System.StartAsync([.. System.Catalogue.Choose(steps).Select(Script.In)], Configure);

    /// <summary>Delivers a message to a step.</summary>
    protected Task DeliverAsync<T>(string step, T message, ByHand? how = null)
        where T : class => System.Broker.PublishToAsync(step, message, how);

    protected async Task<int> ParkedAsync(string step, Guid subject) =>
        (await System.Broker.PeekAllAsync($"{step}_error")).Count(m => global::System.Text.Encoding.UTF8.GetString(m.Body.Span).Contains(subject.ToString(), StringComparison.Ordinal));
}
