using QueueWorkers.FlowControl.CircuitBreakers;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>Repeated runs are a share of the first ones, and never none at all.</summary>
public sealed class RetryBudgetTests
{
    [Test]
    public void Of_a_thousand_calls_a_fifth_may_be_repeated()
    {
        var time = new StandingTime();
        var budget = new RetryBudget(0.2, time);
        var taken = 0;
        for (var i = 0; i < 1000; i++)
        {
            budget.RecordFirstAttempt();
            // Everything fails, and everything wants to be repeated.
            taken += budget.TryTake() ? 1 : 0;
        }

        // Ten are there at the beginning.
        Assert.That(taken, Is.InRange(200, 210));
    }

    [Test]
    public void One_a_second_is_always_free()
    {
        var time = new StandingTime();
        var budget = new RetryBudget(0.2, time);
        while (budget.TryTake())
        {
        }

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(budget.TryTake(), Is.True);
        Assert.That(budget.TryTake(), Is.False);
    }

    private sealed class StandingTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
