using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Testing.Servers;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Testing;

/// <summary>
/// What every step has to keep, whoever wrote it. A step's fixture inherits it in one line:
/// <c>public sealed class InventoryStepContractTests() : StepContract&lt;InventoryStep&gt;(Steps.Catalogue);</c>
/// </summary>
/// <param name="catalogue">The catalogue that the step is in.</param>
[TestFixture]
[Parallelizable(ParallelScope.Self)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
public abstract class StepContract<TStep>(StepCatalogue catalogue)
    where TStep : class, IStep
{
    private const int Copies = 20;

    // A time limit of 30 s ends after a second, for the run that hangs. All others have all of their time: a busy machine
    // would let one of them run into it, too.
    private const double TimeFactor = 30;
    private static readonly TimeSpan ForAllAttempts = TimeSpan.FromSeconds(90);

    private readonly StepScript _script = new();
    private readonly FasterTime _time = new(1);

    /// <summary>The installation.</summary>
    protected OrdersSystem TestSystem { get; private set; } = null!;

    /// <summary>The process that runs the step.</summary>
    protected RunningHost Host { get; private set; } = null!;

    private static StepPolicy Policy => TStep.Policy;

    /// <summary>Settings that the step needs.</summary>
    protected virtual IEnumerable<(string Name, string? Value)> Settings => [];

    /// <summary>Starts what the step talks to; called before the first test.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Makes a subject that the step succeeds for; an order unless said otherwise.</summary>
    protected virtual Task<Guid> NewSubjectAsync() => TestSystem.StoreAsync();

    /// <summary>Looks, beyond the framework's own rows, whether the effect happened exactly once.</summary>
    protected virtual Task VerifyOneEffectAsync(Guid subject) => Task.CompletedTask;

    [OneTimeSetUp]
    public async Task StartTheStep()
    {
        await PrepareAsync();
        TestSystem = await OrdersSystem.CreateAsync(catalogue);
        var entry = catalogue.Steps.Single(s => s.Type == typeof(TStep));
        Host = await TestSystem.StartAsync(
            [_script.In(entry)],
            services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time)),
            Settings
        );
    }

    [OneTimeTearDown]
    public async Task StopTheStep()
    {
        if (TestSystem is not null)
            await TestSystem.DisposeAsync();
    }

    [Test]
    public async Task A_message_delivered_twice_has_one_effect()
    {
        var subject = await NewSubjectAsync();
        var message = Guid.NewGuid();
        await DeliverAsync(subject, message);
        await TestSystem.UntilAsync(subject, Policy.Name, StepStatus.Done);
        var before = _script.RunsOf(subject);

        await DeliverAsync(subject, message);
        await UntilNothingIsLeftAsync(subject, runs: before + 1);

        await OneEffectAsync(subject);
    }

    [Test]
    public async Task Twenty_copies_at_once_have_one_effect()
    {
        var subject = await NewSubjectAsync();
        var message = Guid.NewGuid();
        await Task.WhenAll(Enumerable.Range(0, Copies).Select(_ => DeliverAsync(subject, message)));

        await UntilNothingIsLeftAsync(subject, runs: Copies);
        await OneEffectAsync(subject);
        Assert.That(await DeadLetteredAsync(subject), Is.Zero, "copies that were dead-lettered");
    }

    [Test]
    public async Task A_step_that_fails_once_succeeds_at_the_next_attempt()
    {
        var subject = await NewSubjectAsync();
        _script.For(
            subject,
            (_, run) => run == 1 ? throw new TimeoutException("The outside world is slow today.") : Task.CompletedTask
        );
        await DeliverAsync(subject);

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, Policy.Name),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(await TestSystem.AttemptsAsync(subject, Policy.Name), Is.EqualTo(2));
        Assert.That(
            await TestSystem.LastFaultAsync(subject, Policy.Name),
            Does.Contain("The outside world is slow today.")
        );
        await OneEffectAsync(subject);
    }

    [Test]
    public async Task A_step_that_always_fails_is_dead_lettered_once_after_the_planned_attempts()
    {
        var subject = await NewSubjectAsync();
        _script.For(subject, (_, _) => throw new TimeoutException("Never works."));
        await DeliverAsync(subject);

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, Policy.Name),
            Is.EqualTo(StepStatus.Failed),
            "status of the step",
            ForAllAttempts
        );
        await DeadLetteredOnceAsync(subject);
        Assert.That(_script.RunsOf(subject), Is.EqualTo(Policy.PlannedAttempts), "runs");
        Assert.That(
            await TestSystem.AttemptsAsync(subject, Policy.Name),
            Is.EqualTo(Policy.PlannedAttempts),
            "recorded attempts"
        );
        Assert.That(await TestSystem.EffectsAsync(subject), Is.Zero, "effects");
    }

    [Test]
    public async Task A_permanent_fault_dead_letters_the_message_at_once()
    {
        var subject = await NewSubjectAsync();
        _script.For(subject, (_, _) => throw new PermanentFaultException("Can never work."));
        await DeliverAsync(subject);

        await TestSystem.UntilAsync(subject, Policy.Name, StepStatus.Failed);
        await DeadLetteredOnceAsync(subject);
        Assert.That(_script.RunsOf(subject), Is.EqualTo(1), "runs");
    }

    [Test]
    public async Task A_step_that_hangs_is_cancelled_in_time_and_tried_again()
    {
        var subject = await NewSubjectAsync();
        _time.Factor = TimeFactor;
        _script.For(
            subject,
            (context, run) =>
            {
                // The limit of this run is set, and short; the next one has all of its time.
                _time.Factor = 1;
                return run == 1 ? Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken) : Task.CompletedTask;
            }
        );
        await DeliverAsync(subject);

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, Policy.Name),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(
            await TestSystem.LastFaultAsync(subject, Policy.Name),
            Does.StartWith(nameof(StepTimeoutException))
        );
        await OneEffectAsync(subject);
    }

    [Test]
    public async Task A_cancellation_that_is_not_ours_is_a_fault_like_any_other()
    {
        // What an HttpClient throws when its own time limit is reached.
        var subject = await NewSubjectAsync();
        _script.For(subject, (_, _) => throw new TaskCanceledException("The request was canceled."));
        await DeliverAsync(subject);

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, Policy.Name),
            Is.EqualTo(StepStatus.Failed),
            "status of the step",
            ForAllAttempts
        );
        await DeadLetteredOnceAsync(subject);
        Assert.That(_script.RunsOf(subject), Is.EqualTo(Policy.PlannedAttempts), "runs");
    }

    [Test]
    public async Task The_trace_goes_on_from_the_publisher_into_the_step()
    {
        using var traces = new TraceRecorder();
        var subject = await NewSubjectAsync();
        var seen = default(ActivityTraceId);
        _script.For(
            subject,
            (context, _) =>
            {
                seen = context.GetPayload<StepRun>().Trace?.TraceId ?? default;
                return Task.CompletedTask;
            }
        );
        using var published = TraceRecorder.Source.StartActivity("publisher")!;
        await DeliverAsync(subject, headers: new() { [OutgoingMessage.TraceHeader] = published.Id });

        await TestSystem.UntilAsync(subject, Policy.Name, StepStatus.Done);
        Assert.That(seen, Is.EqualTo(published.TraceId));
    }

    [Test]
    public async Task A_message_without_an_id_is_dead_lettered([Values] bool empty)
    {
        var subject = await NewSubjectAsync();
        await TestSystem.Broker.PublishBytesAsync(
            Policy.Name,
            Envelope(subject, empty ? Guid.Empty : null),
            new ByHand { Id = null }
        );

        await DeadLetteredOnceAsync(subject);
        Assert.That(_script.RunsOf(subject), Is.Zero, "runs");
    }

    [Test]
    public async Task A_duplicate_sends_nothing()
    {
        var outgoing = catalogue
            .IntegrationEvents.Concat(catalogue.Steps.SelectMany(s => s.Consumes))
            .Distinct()
            .Select(MessageName.ExchangeOf);
        var listener = await TestSystem.Broker.ListenAsync(outgoing);
        var subject = await NewSubjectAsync();
        var message = Guid.NewGuid();
        await DeliverAsync(subject, message);
        await TestSystem.UntilAsync(subject, Policy.Name, StepStatus.Done);
        await DeliverAsync(subject, message);
        await UntilNothingIsLeftAsync(subject, runs: 2);

        await TestSystem.UntilOutboxIsEmptyAsync();
        var sent = (await TestSystem.Broker.TakeAllAsync(listener))
            .Select(m => JsonNode.Parse(m.Body.Span)!)
            .Where(m => m["initiatorId"]?.GetValue<Guid>() == message)
            .Select(m => (Id: m["messageId"]!.GetValue<Guid>(), Type: m["messageType"]![0]!.GetValue<string>()));
        // The same id twice is the relay's copy of one message (time was pushed on past its lease), which its consumers
        // drop; two ids of one type would be two messages.
        Assert.That(sent.Distinct().Select(m => m.Type), Is.Unique, "types of the messages that the run has sent");
    }

    /// <summary>Delivers a message about a subject to the step, and to nobody else.</summary>
    protected Task DeliverAsync(Guid subject, Guid? message = null, Dictionary<string, object?>? headers = null)
    {
        var id = message ?? Guid.NewGuid();
        return TestSystem.Broker.PublishBytesAsync(
            Policy.Name,
            Envelope(subject, id),
            new ByHand { Id = id, Headers = headers }
        );
    }

    // The message of the step's first type, with nothing in it but the subject: consumers have to take everything else
    // from the database.
    private static byte[] Envelope(Guid subject, Guid? message)
    {
        var type = typeof(TStep)
            .GetInterfaces()
            .First(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(MassTransit.IConsumer<>))
            .GetGenericArguments()[0];
        var about = type.GetProperties().First(p => p.PropertyType == typeof(Guid)).Name;
        var envelope = new JsonObject
        {
            ["messageType"] = new JsonArray(MessageName.UrnOf(type)),
            ["message"] = new JsonObject { [JsonNamingPolicy.CamelCase.ConvertName(about)] = subject },
        };
        if (message is { } id)
            envelope["messageId"] = id;
        return JsonSerializer.SerializeToUtf8Bytes(envelope);
    }

    private async Task OneEffectAsync(Guid subject)
    {
        Assert.That(await TestSystem.EffectsAsync(subject), Is.EqualTo(1), "effects");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "idempotency i join effects e using (message_id, step) where e.subject_id = $1",
                subject
            ),
            Is.EqualTo(1),
            "idempotency rows"
        );
        Assert.That(await TestSystem.StatusAsync(subject, Policy.Name), Is.EqualTo(StepStatus.Done));
        await VerifyOneEffectAsync(subject);
    }

    // Every copy has run, or was deferred and has run after that, and none waits any more.
    private async Task UntilNothingIsLeftAsync(Guid subject, int runs)
    {
        await TestSystem.EventuallyFastForwardingAsync(
            () => Task.FromResult(_script.RunsOf(subject)),
            Is.GreaterThanOrEqualTo(runs),
            "runs"
        );
        await TestSystem.UntilAsync(subject, Policy.Name, StepStatus.Done);
    }

    // The status is written before the message moves: dying between the two makes one more attempt, the other way round
    // would lose the status.
    private Task<int> DeadLetteredOnceAsync(Guid subject) =>
        Eventually.That(() => DeadLetteredAsync(subject), Is.EqualTo(1), "messages of the subject in the _error queue");

    private async Task<int> DeadLetteredAsync(Guid subject) =>
        (await TestSystem.Broker.PeekAllAsync($"{Policy.Name}_error")).Count(m => IsAbout(m, subject));

    private static bool IsAbout(RabbitMQ.Client.BasicGetResult message, Guid subject) =>
        System.Text.Encoding.UTF8.GetString(message.Body.Span).Contains(subject.ToString(), StringComparison.Ordinal);
}
