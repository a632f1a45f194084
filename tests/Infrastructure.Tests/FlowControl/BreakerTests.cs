using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// When what a step depends on is down, its messages wait: no attempt is used up, no message is dead-lettered, and all
/// goes on when it is back.
/// </summary>
public sealed class BreakerTests : WithReplicas
{
    private volatile bool _isDown;
    private int _callsWhileDown;

    [SetUp]
    public void ItWorks() => (_isDown, _callsWhileDown) = (false, 0);

    [Test]
    public async Task A_dependency_that_is_down_opens_the_breaker_in_all_replicas_and_uses_up_no_attempt()
    {
        await StartAsync(3, "hurried", CallAsync, OnPost);
        await DeliverAsync("hurried", 60);
        await UntilDoneAsync("hurried", 60);

        _isDown = true;
        await DeliverAsync("hurried", 200);
        await Eventually.That(
            () => Breakers.ListAsync(),
            Has.One.With.Property("State").Not.EqualTo(BreakerState.Closed),
            "the breaker"
        );
        await Eventually.Is(
            () => Replicas.All(r => GateOf(r, "hurried").Limit <= 1),
            "every replica has closed its gate, or makes the trial",
            TakesEffectWithin
        );
        // Time enough for a few trials; each needs a real message, and each failure doubles the wait.
        await Eventually.That(
            async () => (await Breakers.ListAsync())[0].Trips,
            Is.GreaterThanOrEqualTo(3),
            "trials that failed"
        );
        Assert.That(
            _callsWhileDown,
            Is.LessThan(60),
            "calls while it was down: those under way when it went, and the trials"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"step_runs where step = 'hurried' and status = {StepStatus.Retrying:D} and attempts = 0 and last_fault like '%post%'"
            ),
            Is.GreaterThan(0),
            "steps that say why they wait"
        );

        _isDown = false;
        await UntilDoneAsync("hurried", 260);
        Assert.That(await TestSystem.Database.CountAsync("step_runs where attempts <> 1"), Is.Zero, "attempts used up");
        Assert.That(await TestSystem.Broker.CountAsync("hurried_error"), Is.Zero, "dead-lettered");
        Assert.That((await Breakers.ListAsync()).Single().State, Is.EqualTo(BreakerState.Closed));
    }

    [Test]
    public async Task A_fault_that_is_not_the_dependencys_counts_as_an_attempt_and_leaves_the_breaker_alone()
    {
        await StartAsync(1, "hurried", (_, _) => throw new InvalidOperationException("No such address."), OnPost);
        var subjects = await DeliverAsync("hurried", 12);
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Broker.CountAsync("hurried_error"),
            Is.EqualTo(12u),
            "dead-lettered messages"
        );
        Assert.That((await Breakers.ListAsync()).Single().State, Is.EqualTo(BreakerState.Closed));
        Assert.That(await TestSystem.AttemptsAsync(subjects[0], "hurried"), Is.EqualTo(4));
    }

    [Test]
    public async Task A_message_that_alone_meets_the_dependencys_fault_uses_up_its_attempts_and_is_dead_lettered()
    {
        var unlucky = Guid.NewGuid();
        await StartAsync(
            1,
            "hurried",
            (subject, _) => subject == unlucky ? throw new PostIsDownException() : Task.CompletedTask,
            OnPost
        );
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(unlucky));
        await TestSystem.EventuallyFastForwardingAsync(
            async () =>
            {
                // Others get through all the while: the fault stays a small share.
                await DeliverAsync("hurried", 5);
                return await TestSystem.StatusAsync(unlucky, "hurried");
            },
            Is.EqualTo(StepStatus.Failed),
            "status of the unlucky one"
        );
        Assert.That((await Breakers.ListAsync()).Single().State, Is.EqualTo(BreakerState.Closed));
    }

    [Test]
    public async Task An_operator_can_hold_a_breaker_open_and_closed()
    {
        await StartAsync(2, "hurried", CallAsync, OnPost);
        await Breakers.ForceAsync("post", BreakerState.Open, Because("the post office moves"));
        await Eventually.Is(
            () => Replicas.All(r => GateOf(r, "hurried").Limit == 0),
            "every gate is closed",
            TakesEffectWithin
        );
        var waiting = await DeliverAsync("hurried", 10);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("hurried"),
            Is.GreaterThanOrEqualTo(10u),
            "messages waiting in the queue"
        );
        Assert.That(Begun.Select(b => b.Subject).Intersect(waiting), Is.Empty);

        await Breakers.ForceAsync("post", null, Because("it has moved"));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"step_runs where subject_id = any($1) and status = {StepStatus.Done:D}",
                    waiting
                ),
            Is.EqualTo(10L),
            "runs done"
        );

        await Breakers.ForceAsync("post", BreakerState.Closed, Because("the breaker is wrong"));
        await Eventually.That(
            async () => (await Breakers.ListAsync()).Single().Forced,
            Is.EqualTo(BreakerState.Closed),
            "the force"
        );
        _isDown = true;
        var failing = await DeliverAsync("hurried", 20);
        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2",
                    failing,
                    (short)StepStatus.Failed
                ),
            Is.EqualTo(20L),
            "dead-lettered messages: the operator wanted it so"
        );
    }

    [Test]
    public async Task A_dependency_that_says_it_serves_nobody_needs_one_message_to_open_the_breaker_and_uses_up_no_attempt()
    {
        var isClosed = true;
        await StartAsync(
            1,
            "hurried",
            (_, _) => Volatile.Read(ref isClosed) ? throw new PostIsClosedException() : Task.CompletedTask,
            OnPost
        );
        var subjects = await DeliverAsync("hurried", 1);
        await Eventually.That(
            async () => (await Breakers.ListAsync()).Single().Trips,
            Is.GreaterThanOrEqualTo(2),
            "trials that failed"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where step = 'hurried' and attempts > 0"),
            Is.Zero,
            "attempts used up"
        );

        Volatile.Write(ref isClosed, false);
        await UntilDoneAsync("hurried", 1);
        Assert.That(await TestSystem.AttemptsAsync(subjects[0], "hurried"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_trial_is_not_judged_by_a_message_whose_fault_says_nothing_about_the_dependency()
    {
        var trials = 0;
        var isHome = false;
        await StartAsync(
            1,
            "hurried",
            async (subject, token) =>
            {
                await CallAsync(subject, token);
                if (Volatile.Read(ref isHome))
                    return;
                Interlocked.Increment(ref trials);
                throw new NobodyHomeException();
            },
            OnPost
        );
        _isDown = true;
        await DeliverAsync("hurried", 20);
        await Eventually.That(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.Not.EqualTo(BreakerState.Closed),
            "the breaker"
        );
        _isDown = false;
        await TestSystem.EventuallyFastForwardingAsync(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.HalfOpen),
            "the breaker"
        );
        // From here on every run is a trial.
        var before = Volatile.Read(ref trials);
        await TestSystem.EventuallyFastForwardingAsync(
            () => Task.FromResult(Volatile.Read(ref trials)),
            Is.GreaterThanOrEqualTo(before + 3),
            "trials that ended without a verdict"
        );
        Assert.That(
            (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.HalfOpen),
            "judged neither well nor badly"
        );

        Volatile.Write(ref isHome, true);
        await TestSystem.EventuallyFastForwardingAsync(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.Closed),
            "the breaker"
        );
    }

    // Issue 15, 12: what made no call closes no breaker.
    [TestCase(NoCall.NothingToDo)]
    [TestCase(NoCall.DoneBefore)]
    [TestCase(NoCall.FailedBeforeTheCall)]
    [TestCase(NoCall.RefusedBeforeTheCall)]
    public async Task A_trial_that_makes_no_call_is_made_again(NoCall how)
    {
        var (trials, mayCall) = (0, false);
        await StartAsync(
            1,
            "hurried",
            async context =>
            {
                await CallAsync(context.Step().SubjectId, context.CancellationToken);
                if (Volatile.Read(ref mayCall))
                    return;
                Interlocked.Increment(ref trials);
                await EndWithoutACallAsync(how, context.Step());
            },
            OnPost
        );
        _isDown = true;
        await DeliverAsync("hurried", 20);
        await Eventually.That(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.Not.EqualTo(BreakerState.Closed),
            "the breaker"
        );
        _isDown = false;
        await TestSystem.EventuallyFastForwardingAsync(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.HalfOpen),
            "the breaker"
        );
        await DeliverAsync("hurried", 20);
        var before = Volatile.Read(ref trials);
        await TestSystem.EventuallyFastForwardingAsync(
            () => Task.FromResult(Volatile.Read(ref trials)),
            Is.GreaterThanOrEqualTo(before + 3),
            "trials that made no call"
        );
        Assert.That((await Breakers.ListAsync()).Single().State, Is.EqualTo(BreakerState.HalfOpen));

        Volatile.Write(ref mayCall, true);
        await DeliverAsync("hurried", 5);
        await TestSystem.EventuallyFastForwardingAsync(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.Closed),
            "the breaker"
        );
    }

    [Test]
    public async Task A_refusal_that_is_the_dependencys_answer_closes_the_breaker()
    {
        await StartAsync(
            1,
            "hurried",
            async (subject, token) =>
            {
                await CallAsync(subject, token);
                throw new PermanentFaultException("The post office knows no such street.") { IsAnswer = true };
            },
            OnPost
        );
        _isDown = true;
        await DeliverAsync("hurried", 20);
        await Eventually.That(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.Not.EqualTo(BreakerState.Closed),
            "the breaker"
        );
        _isDown = false;
        await TestSystem.EventuallyFastForwardingAsync(
            async () => (await Breakers.ListAsync()).Single().State,
            Is.EqualTo(BreakerState.Closed),
            "the breaker"
        );
    }

    public enum NoCall
    {
        NothingToDo,
        DoneBefore,
        FailedBeforeTheCall,
        RefusedBeforeTheCall,
    }

    private async Task EndWithoutACallAsync(NoCall how, StepContext step)
    {
        switch (how)
        {
            case NoCall.NothingToDo:
                step.NothingToDo();
                break;
            case NoCall.DoneBefore:
                await TestSystem.Database.ExecuteAsync(
                    "insert into effects (subject_id, effect, message_id, step, state) values ($1, $2, gen_random_uuid(), $2, 2) on conflict do nothing",
                    step.SubjectId,
                    step.Effect.Name
                );
                break;
            case NoCall.FailedBeforeTheCall:
                throw new InvalidOperationException("The letter cannot be written.");
            case NoCall.RefusedBeforeTheCall:
                throw new PermanentFaultException("There is no such subject.");
        }
    }

    private static StepPolicy OnPost(StepPolicy policy) =>
        policy with
        {
            DependsOn = new Dependency("post", typeof(PostIsDownException))
            {
                Outages = [typeof(PostIsClosedException)],
                Cooldown = TimeSpan.FromMilliseconds(500),
                LongestCooldown = TimeSpan.FromSeconds(2),
            },
        };

    private async Task CallAsync(Guid subject, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (!_isDown)
            return;
        Interlocked.Increment(ref _callsWhileDown);
        throw new PostIsDownException();
    }

    private sealed class PostIsClosedException() : Exception("The post office is closed.");

    private sealed class NobodyHomeException() : Exception("Nobody is at home there.");

    private sealed class PostIsDownException() : Exception("Nobody answers at the post office.");
}
