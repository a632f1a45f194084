using QueueWorkers.Clocks;

namespace Orders.Infrastructure.Tests.Clocks;

public sealed class MeasuredClockTests
{
    private static readonly DateTimeOffset There = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly OwnClock _own = new();

    [Test]
    public void Without_an_answer_it_is_the_own_clock() =>
        Assert.That(new MeasuredClock(_own).UtcNow, Is.EqualTo(_own.GetUtcNow()));

    [Test]
    public void An_answer_counts_from_the_middle_of_its_way_and_goes_on_by_the_monotonic_clock()
    {
        var clock = new MeasuredClock(_own);
        Answer(clock, There, TimeSpan.FromMilliseconds(10));
        Assert.That(clock.UtcNow, Is.EqualTo(There.AddMilliseconds(5)));
        // The machine's clock is set back by an hour.
        _own.Utc -= TimeSpan.FromHours(1);
        _own.Pass(TimeSpan.FromSeconds(3));
        Assert.That(clock.UtcNow, Is.EqualTo(There.AddMilliseconds(3005)));
    }

    [Test]
    public void A_slow_answer_does_not_replace_a_quick_one_that_agrees()
    {
        var clock = new MeasuredClock(_own);
        Answer(clock, There, TimeSpan.FromMilliseconds(2));
        Answer(clock, There.AddMilliseconds(1500), TimeSpan.FromSeconds(2));
        Assert.That(clock.UtcNow, Is.EqualTo(There.AddMilliseconds(2001)));
    }

    [Test]
    public void An_answer_that_contradicts_replaces_whatever_was_known()
    {
        var clock = new MeasuredClock(_own);
        Answer(clock, There, TimeSpan.FromMilliseconds(2));
        // Somebody set the clock there, or this machine was suspended for an hour.
        Answer(clock, There.AddHours(1), TimeSpan.FromSeconds(2));
        Assert.That(clock.UtcNow, Is.EqualTo(There.AddHours(1).AddSeconds(1)));
    }

    [Test]
    public void An_old_answer_gives_way_to_a_somewhat_slower_one()
    {
        var clock = new MeasuredClock(_own);
        Answer(clock, There, TimeSpan.FromMilliseconds(2));
        _own.Pass(TimeSpan.FromMinutes(1));
        Answer(clock, There.AddMinutes(1).AddMilliseconds(4), TimeSpan.FromMilliseconds(6));
        Assert.That(clock.UtcNow, Is.EqualTo(There.AddMinutes(1).AddMilliseconds(7)));
    }

    private void Answer(MeasuredClock clock, DateTimeOffset time, TimeSpan took)
    {
        var asked = _own.GetTimestamp();
        _own.Pass(took);
        clock.Answered(time, asked);
    }

    private sealed class OwnClock : TimeProvider
    {
        private long _ticks = 1;

        public DateTimeOffset Utc { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time)
        {
            _ticks += time.Ticks;
            Utc += time;
        }

        public override DateTimeOffset GetUtcNow() => Utc;

        public override long GetTimestamp() => _ticks;
    }
}
