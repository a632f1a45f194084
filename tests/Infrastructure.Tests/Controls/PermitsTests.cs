using Orders.Infrastructure.Controls;

namespace Orders.Infrastructure.Tests.Controls;

/// <summary>The arithmetic of a limit: never more than the limit and one bundle in any window, and hardly fewer when there is always somebody waiting.</summary>
public sealed class PermitsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [TestCase(100, 60)]
    [TestCase(7, 60)]
    [TestCase(10, 1)]
    [TestCase(1, 3600)]
    public void No_window_has_more_than_the_limit_and_one_bundle_whoever_asks_when(int permits, int seconds)
    {
        var limit = new RateLimit(permits, TimeSpan.FromSeconds(seconds));
        var random = new Random(seconds);
        var used = new List<DateTimeOffset>();
        RateBucket? bucket = null;
        for (var now = Start; now < Start + (limit.Window * 6); now += limit.Interval * random.NextDouble() * 3)
        {
            (bucket, var taken) = Permits.Take(bucket, new PermitRequest("x", limit, random.Next(1, 20), limit.Interval * 20), now);
            // Used as late as can be: the moment itself, or the last before it lapses.
            used.AddRange(taken.Waits.Select(wait => Latest(now + wait + (random.Next(2) == 0 ? TimeSpan.Zero : Permits.Grace(limit)), now)));
        }

        used.Sort();
        for (var i = 0; i < used.Count; i++)
            Assert.That(used.Skip(i).TakeWhile(u => u < used[i] + limit.Window).Count(), Is.LessThanOrEqualTo(permits + limit.Bundle), $"used in the window that begins at {used[i]:O}");
    }

    [Test]
    public void Four_replicas_with_a_backlog_use_a_hundred_permits_in_every_full_minute()
    {
        var limit = RateLimit.PerMinute(100);
        var used = new List<DateTimeOffset>();
        RateBucket? bucket = null;
        var free = new DateTimeOffset[4];
        for (var now = Start; now < Start + TimeSpan.FromMinutes(5); now += TimeSpan.FromMilliseconds(50))
        {
            for (var replica = 0; replica < free.Length; replica++)
            {
                // A replica asks again when it has used what it had.
                if (free[replica] > now)
                    continue;
                (bucket, var taken) = Permits.Take(bucket, new PermitRequest("x", limit, 10, TimeSpan.FromSeconds(30)), now);
                used.AddRange(taken.Waits.Select(wait => Latest(now + wait, now)));
                free[replica] = taken.Waits.Count > 0 ? now + taken.Waits[^1] : now;
            }
        }

        for (var minute = 0; minute < 5; minute++)
            Assert.That(used.Count(u => u >= Start + TimeSpan.FromMinutes(minute) && u < Start + TimeSpan.FromMinutes(minute + 1)), Is.InRange(95, 105), $"minute {minute}");
    }

    [Test]
    public void Those_who_are_sent_away_come_back_one_by_one()
    {
        var limit = RateLimit.PerMinute(60);
        RateBucket? bucket = null;
        var returns = new List<TimeSpan>();
        for (var i = 0; i < 1000; i++)
        {
            (bucket, var taken) = Permits.Take(bucket, new PermitRequest("x", limit, 1, TimeSpan.FromSeconds(0.5)), Start);
            if (taken.ComeAgainAfter is { } after)
                returns.Add(after);
        }

        Assert.That(returns, Has.Count.GreaterThan(990));
        Assert.That(returns.Zip(returns.Skip(1), (a, b) => b - a), Is.All.EqualTo(limit.Interval));
    }

    [Test]
    public void Reservations_are_one_interval_apart_up_to_their_horizon_and_take_no_permit()
    {
        var limit = RateLimit.PerSecond(50);
        var horizon = TimeSpan.FromSeconds(10);
        var request = new PermitRequest("x", limit, 1, PermitRequest.OnlyAReservation) { Horizon = horizon };
        RateBucket? bucket = null;
        var returns = new List<TimeSpan>();
        for (var i = 0; i < 1000; i++)
        {
            (bucket, var taken) = Permits.Take(bucket, request, Start);
            Assert.That(taken.Waits, Is.Empty);
            returns.Add(taken.ComeAgainAfter!.Value);
        }

        var inOrder = returns.TakeWhile(r => r < horizon).ToArray();
        Assert.That(inOrder, Has.Length.InRange(490, 510));
        Assert.That(inOrder.Zip(inOrder.Skip(1), (a, b) => b - a), Is.All.EqualTo(limit.Interval));
        Assert.That(returns.Skip(inOrder.Length + 1), Is.All.EqualTo(horizon));
        Assert.That(bucket!.ReturnAt, Is.LessThanOrEqualTo(Start + horizon), "who comes later, with a further horizon, stands behind those in order only");
    }

    private static DateTimeOffset Latest(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
