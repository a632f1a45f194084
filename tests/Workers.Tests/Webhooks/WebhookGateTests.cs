using Orders.Workers.Webhooks;

namespace Orders.Workers.Tests.Webhooks;

public sealed class WebhookGateTests
{
    private readonly ClockByHand _clock = new();

    [Test]
    public void Five_calls_at_a_time_until_one_fails_then_one_after_growing_pauses()
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        Assert.That(Enumerable.Range(0, 6).Count(_ => gate.TryEnter(webhook).Wait is null), Is.EqualTo(5));
        for (var i = 0; i < 5; i++)
            gate.Leave(webhook, default, hasFailed: i == 0 ? true : null);
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(2)));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null, "a trial");
        Assert.That(gate.TryEnter(webhook).Wait, Is.Not.Null, "another one beside it");
        gate.Leave(webhook, default, hasFailed: true);
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(4)));

        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null);
        gate.Leave(webhook, default, hasFailed: false);
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null, "after a success");
        gate.Leave(webhook, default, hasFailed: false);
        Assert.That(gate.Count, Is.Zero, "entries of web hooks that are well");
    }

    [Test]
    public void A_wait_that_was_asked_for_is_kept_up_to_five_minutes()
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        gate.TryEnter(webhook);
        gate.Leave(webhook, default, hasFailed: true, asked: TimeSpan.FromSeconds(30));
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        gate.TryEnter(webhook);
        gate.Leave(webhook, default, hasFailed: true, asked: TimeSpan.FromHours(3));
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromMinutes(5)));
    }

    [Test]
    public void Given_up_is_only_what_has_waited_for_a_day_at_an_address_that_refuses_at_present()
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        var twoDays = TimeSpan.FromDays(2);
        for (var i = 0; i < 5; i++)
            gate.TryEnter(webhook);
        Assert.That(gate.TryEnter(webhook).IsHopeless(twoDays), Is.False, "five calls are under way");
        for (var i = 0; i < 5; i++)
            gate.Leave(webhook, default, hasFailed: null);

        for (var failures = 0; failures < WebhookGate.ManyFailures; failures++)
        {
            Assert.That(gate.TryEnter(webhook).IsHopeless(twoDays), Is.False, "a trial");
            Assert.That(gate.TryEnter(webhook).IsHopeless(twoDays), Is.False, "few failures");
            if (failures == 0)
                gate.Leave(webhook, default, hasFailed: null);
            gate.Leave(webhook, default, hasFailed: true);
            if (failures < WebhookGate.ManyFailures - 1)
                _clock.Advance(TimeSpan.FromMinutes(5));
        }

        Assert.That(gate.TryEnter(webhook).IsHopeless(twoDays), Is.True);
        Assert.That(gate.TryEnter(webhook).IsHopeless(TimeSpan.FromHours(23)), Is.False, "waits since yesterday");
        // The step was paused meanwhile: first the address is asked again.
        _clock.Advance(twoDays);
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null);
        Assert.That(gate.TryEnter(webhook).IsHopeless(twoDays), Is.False, "beside the trial");
    }

    // Two hundred at an address that is down, and at one whose calls take ten seconds.
    [TestCase(true, 5)]
    [TestCase(false, 2)]
    public void Whoever_waits_gets_a_time_of_its_own(bool isDown, int seconds)
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        var passes = Enumerable.Range(0, 5).Select(_ => gate.TryEnter(webhook)).ToArray();
        _clock.Advance(TimeSpan.FromSeconds(10));
        gate.Leave(webhook, passes[0], hasFailed: isDown, asked: TimeSpan.FromHours(1));
        if (!isDown)
            gate.TryEnter(webhook);

        var times = Enumerable.Range(0, 200).Select(_ => gate.TryEnter(webhook).Wait!.Value).ToArray();
        Assert.That(times[0], Is.EqualTo(isDown ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(2)));
        var gaps = times.Zip(times.Skip(1), (first, second) => second - first);
        Assert.That(gaps, Is.All.EqualTo(TimeSpan.FromSeconds(seconds)));
    }

    [Test]
    public void The_times_begin_anew_after_half_an_hour_and_when_the_address_is_well_again()
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        gate.Leave(webhook, gate.TryEnter(webhook), hasFailed: true, asked: TimeSpan.FromHours(1));
        var times = Enumerable.Range(0, 1000).Select(_ => gate.TryEnter(webhook).Wait!.Value).ToArray();
        Assert.That(times.Max(), Is.LessThan(TimeSpan.FromMinutes(35)));
        Assert.That(times.GroupBy(t => t).Max(same => same.Count()), Is.EqualTo(3), "at the same instant");

        _clock.Advance(TimeSpan.FromMinutes(5));
        gate.Leave(webhook, gate.TryEnter(webhook), hasFailed: false);
        for (var i = 0; i < 5; i++)
            gate.TryEnter(webhook);
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(2)));
    }

    private sealed class ClockByHand : TimeProvider
    {
        private TimeSpan _now = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Advance(TimeSpan by) => _now += by;
    }
}
