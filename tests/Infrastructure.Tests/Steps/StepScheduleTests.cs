using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>When the next attempt follows.</summary>
public sealed class StepScheduleTests
{
    private static readonly StepPolicy Policy = new("step")
    {
        Retry = Retry.Exponential(2, TimeSpan.FromMilliseconds(100)),
        Redelivery = Redelivery.After(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30)),
        PermanentFaults = [typeof(FormatException)],
    };

    [Test]
    public void A_step_written_in_a_hurry_has_four_attempts_with_back_off_from_two_seconds()
    {
        var policy = new StepPolicy("hurried");
        Assert.That(policy.PlannedAttempts, Is.EqualTo(4));
        Assert.That(
            policy.Redelivery.Delays,
            Is.EqualTo([TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(8)])
        );
        Assert.That(policy.Concurrency, Is.EqualTo(5));
        Assert.That(policy.Timeout, Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public void Retries_double_then_redeliveries_follow_then_nothing()
    {
        Assert.That(Next(redeliveries: 0, retries: 0), Is.EqualTo(TimeSpan.FromMilliseconds(100)));
        Assert.That(Next(redeliveries: 0, retries: 1), Is.EqualTo(TimeSpan.FromMilliseconds(200)));
        Assert.That(Next(redeliveries: 0, retries: 2), Is.InRange(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2.4)));
        Assert.That(Next(redeliveries: 1, retries: 2), Is.InRange(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(36)));
        Assert.That(Next(redeliveries: 2, retries: 2), Is.Null);
        Assert.That(Policy.PlannedAttempts, Is.EqualTo(9));
    }

    [Test]
    public void Permanent_faults_are_not_repeated()
    {
        Assert.That(StepSchedule.NextAttempt(Policy, new FormatException(), Guid.NewGuid(), 0, 0), Is.Null);
        Assert.That(
            StepSchedule.NextAttempt(Policy, new PermanentFaultException("No."), Guid.NewGuid(), 0, 0),
            Is.Null
        );
    }

    [TestCase(600, 600)]
    [TestCase(1, 2)]
    [TestCase(0, 0.1)]
    [TestCase(-5, 0.1)]
    public void A_fault_that_names_a_wait_gets_it_unless_the_policy_waits_longer(int asked, double least) =>
        Assert.That(
            StepSchedule.NextAttempt(Policy, new Busy(TimeSpan.FromSeconds(asked)), Guid.NewGuid(), 0, 0),
            Is.InRange(TimeSpan.FromSeconds(least), TimeSpan.FromSeconds(least * 1.2))
        );

    [Test]
    public void A_fault_that_names_a_wait_gets_no_further_attempts_for_it() =>
        Assert.That(
            StepSchedule.NextAttempt(Policy, new Busy(TimeSpan.FromSeconds(600)), Guid.NewGuid(), 2, 0),
            Is.Null
        );

    [Test]
    public void Jitter_spreads_messages_and_is_the_same_for_whoever_asks()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => Guid.NewGuid()).ToArray();
        var waits = ids.Select(id => StepSchedule.WithJitter(TimeSpan.FromSeconds(10), id, 0)).ToArray();
        Assert.That(waits, Is.All.InRange(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(12)));
        Assert.That(waits.Average(w => w.TotalSeconds), Is.EqualTo(11).Within(0.2));
        Assert.That(ids.Select(id => StepSchedule.WithJitter(TimeSpan.FromSeconds(10), id, 0)), Is.EqualTo(waits));
    }

    private static TimeSpan? Next(int redeliveries, int retries) =>
        StepSchedule.NextAttempt(Policy, new InvalidOperationException(), Guid.NewGuid(), redeliveries, retries);

    private sealed class Busy(TimeSpan? retryAfter) : Exception, IRetryAfter
    {
        public TimeSpan? RetryAfter => retryAfter;
    }
}
