using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Operators;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// A fixture whose tests run a step in several replicas, each with a gate and a poll of its own as separate processes
/// have.
/// </summary>
public abstract class WithReplicas : SystemFixture
{
    /// <summary>
    /// Within two seconds a control takes effect in every replica: that is the promise for a machine that has time for
    /// the poll. A loaded one gets more.
    /// </summary>
    protected static readonly TimeSpan TakesEffectWithin = TimeSpan.FromSeconds(30);

    private readonly List<RunningHost> _replicas = [];

    /// <summary>When each run of the step began, in all replicas.</summary>
    protected ConcurrentQueue<(Guid Subject, DateTimeOffset At)> Begun { get; } = new();

    protected StepControls Controls => new(TestSystem.Database.Source);

    protected Breakers Breakers => new(TestSystem.Database.Source);

    protected IReadOnlyList<RunningHost> Replicas => _replicas;

    [OneTimeSetUp]
    public Task KeepThePermits() =>
        TestSystem.Database.KeepHistoryAsync("rate_buckets", "new.name, clock_timestamp() as at");

    [TearDown]
    public async Task StopTheReplicas()
    {
        foreach (var replica in _replicas)
            await replica.DisposeAsync();
        _replicas.Clear();
        Begun.Clear();
        await TestSystem.Database.ExecuteAsync(
            "truncate step_controls, breakers, dependency_calls, rate_buckets, rate_buckets_history, workers, outbox, step_runs, step_attempts, effects, idempotency"
        );
    }

    protected static AuditEntry Because(string reason, string? target = null) =>
        new()
        {
            Who = "an operator",
            Role = "Operator",
            Action = "test",
            Target = target,
            Reason = reason,
        };

    protected static StepGate GateOf(RunningHost replica, string step) =>
        replica.Services.GetRequiredService<StepGates>().Of(step);

    /// <summary>
    /// Checks that no run began before there was a permit for it. The permits are one interval apart from the moment on
    /// at which the database gave out the first bundle, so a run that a busy machine begins late changes nothing.
    /// </summary>
    protected async Task NeverBeforeItsPermitAsync(RateLimit limit, IEnumerable<DateTimeOffset> runs)
    {
        var first = (
            await TestSystem.Database.ScalarAsync<DateTime>("select min(at) from rate_buckets_history")
        ).ToUniversalTime();
        var begun = runs.Order().ToArray();
        Assert.Multiple(() =>
        {
            for (var i = 0; i < begun.Length; i++)
                Assert.That(
                    i + 1,
                    Is.LessThanOrEqualTo(((begun[i].UtcDateTime - first) / limit.Interval) + limit.Bundle + 1),
                    $"runs until {begun[i].UtcDateTime - first} after the first permits of {limit}"
                );
        });
    }

    /// <summary>Starts replicas of a step.</summary>
    /// <param name="count">How many.</param>
    /// <param name="step">The step.</param>
    /// <param name="work">What it does in place of its own work.</param>
    /// <param name="policy">Changes what the gates know of its policy.</param>
    /// <param name="services">Changes services.</param>
    protected Task StartAsync(
        int count,
        string step,
        Func<Guid, CancellationToken, Task> work,
        Func<StepPolicy, StepPolicy>? policy = null,
        Action<IServiceCollection>? services = null
    ) =>
        StartAsync(count, step, context => work(context.Step().SubjectId, context.CancellationToken), policy, services);

    /// <summary>The same for work that uses its message's context.</summary>
    protected async Task StartAsync(
        int count,
        string step,
        Func<ConsumeContext, Task> work,
        Func<StepPolicy, StepPolicy>? policy = null,
        Action<IServiceCollection>? services = null
    )
    {
        var everything = new Everything(this, work);
        for (var i = 0; i < count; i++)
        {
            _replicas.Add(
                await TestSystem.StartAsync(
                    [
                        .. TestSystem
                            .Catalogue.Choose(step)
                            .Select(e => everything.In(e) with { Policy = policy?.Invoke(e.Policy) ?? e.Policy }),
                    ],
                    services
                )
            );
        }
    }

    /// <summary>Delivers messages to the step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="count">How many.</param>
    /// <param name="keys">The keys that they carry.</param>
    protected async Task<Guid[]> DeliverAsync(string step, int count, params (string Name, string Value)[] keys)
    {
        var subjects = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in subjects)
            await TestSystem.Broker.PublishToAsync(
                step,
                new Feed(subject),
                new ByHand
                {
                    Headers = keys.ToDictionary(
                        k => MessageKeys.HeaderOf(k.Name),
                        object? (k) => MessageKeys.ValueOf(SampleOrders.Personal, k.Value)
                    ),
                }
            );
        return subjects;
    }

    protected Task UntilDoneAsync(string step, int count, TimeSpan? within = null) =>
        Eventually.That(
            () => TestSystem.Database.CountAsync($"step_runs where step = $1 and status = {StepStatus.Done:D}", step),
            Is.EqualTo((long)count),
            "runs done",
            within ?? TimeSpan.FromSeconds(90)
        );

    private sealed class Everything(WithReplicas fixture, Func<ConsumeContext, Task> work)
    {
        public StepEntry In(StepEntry entry)
        {
            var script = new StepScript
            {
                Otherwise = async (context, _) =>
                {
                    var subject = context.Step().SubjectId;
                    fixture.Begun.Enqueue((subject, DateTimeOffset.UtcNow));
                    await work(context);
                },
            };
            return script.In(entry);
        }
    }
}
