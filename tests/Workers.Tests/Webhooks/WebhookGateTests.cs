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
            gate.Leave(webhook, hasFailed: i == 0 ? true : null);
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(2)));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null, "a trial");
        Assert.That(gate.TryEnter(webhook).Wait, Is.Not.Null, "another one beside it");
        gate.Leave(webhook, hasFailed: true);
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(4)));

        _clock.Advance(TimeSpan.FromSeconds(4));
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null);
        gate.Leave(webhook, hasFailed: false);
        Assert.That(gate.TryEnter(webhook).Wait, Is.Null, "after a success");
        gate.Leave(webhook, hasFailed: false);
        Assert.That(gate.Count, Is.Zero, "entries of web hooks that are well");
    }

    [Test]
    public void A_wait_that_was_asked_for_is_kept_up_to_five_minutes()
    {
        var (gate, webhook) = (new WebhookGate(_clock), Guid.NewGuid());
        gate.TryEnter(webhook);
        gate.Leave(webhook, hasFailed: true, asked: TimeSpan.FromSeconds(30));
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        gate.TryEnter(webhook);
        gate.Leave(webhook, hasFailed: true, asked: TimeSpan.FromHours(3));
        Assert.That(gate.TryEnter(webhook).Wait, Is.EqualTo(TimeSpan.FromMinutes(5)));
    }

    private sealed class ClockByHand : TimeProvider
    {
        private TimeSpan _now = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Advance(TimeSpan by) => _now += by;
    }
}
