using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>The next firings as the clocks of their zone show them, also when these are changed.</summary>
public sealed class PlannedFiringTests
{
    private const string Berlin = "Europe/Berlin";

    [Test]
    public void There_are_ten_in_the_zones_time_with_its_distance_from_UTC()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("0 6 * * 1-5", Berlin),
            new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero)
        );
        Assert.That(next, Has.Count.EqualTo(10));
        Assert.That(next[0], Is.EqualTo(new PlannedFiring(At(2026, 6, 2, 6, 0, 2), null)));
        Assert.That(next[0].At.Offset, Is.EqualTo(TimeSpan.FromHours(2)));
        Assert.That(next[4].At, Is.EqualTo(At(2026, 6, 8, 6, 0, 2)), "after the weekend");
    }

    [Test]
    public void An_hour_that_the_clocks_skip_is_shown_at_its_end_and_named()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("30 2 * * *", Berlin),
            new DateTimeOffset(2026, 3, 27, 12, 0, 0, TimeSpan.Zero),
            3
        );
        Assert.That(
            next.Select(n => n.At),
            Is.EqualTo([At(2026, 3, 28, 2, 30, 1), At(2026, 3, 29, 3, 0, 2), At(2026, 3, 30, 2, 30, 2)])
        );
        Assert.That(
            next.Select(n => n.Note),
            Is.EqualTo(
                new[] { null, "The clocks skip from 02:00 to 03:00: what falls between fires at the end.", null }
            )
        );
    }

    [Test]
    public void A_firing_that_is_meant_at_the_end_of_the_skipped_hour_is_not_called_moved()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("0 3 * * *", Berlin),
            new DateTimeOffset(2026, 3, 28, 12, 0, 0, TimeSpan.Zero),
            1
        );
        Assert.That(
            next,
            Is.EqualTo([
                new PlannedFiring(
                    At(2026, 3, 29, 3, 0, 2),
                    "The clocks went forward by 1:00 h since the firing before."
                ),
            ])
        );
    }

    [Test]
    public void An_hour_that_comes_twice_is_named_the_first_time_only_for_a_daily_firing()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("30 2 * * *", Berlin),
            new DateTimeOffset(2026, 10, 24, 12, 0, 0, TimeSpan.Zero),
            2
        );
        Assert.That(next.Select(n => n.At), Is.EqualTo([At(2026, 10, 25, 2, 30, 2), At(2026, 10, 26, 2, 30, 1)]));
        Assert.That(
            next.Select(n => n.Note),
            Is.EqualTo([
                "The clocks show this time twice; this is the first time.",
                "The clocks went back by 1:00 h since the firing before.",
            ])
        );
    }

    [Test]
    public void An_interval_fires_in_both_of_the_doubled_hours_and_each_is_named()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("*/30 * * * *", Berlin),
            new DateTimeOffset(2026, 10, 24, 23, 45, 0, TimeSpan.Zero),
            5
        );
        Assert.That(
            next.Select(n => n.At),
            Is.EqualTo([
                At(2026, 10, 25, 2, 0, 2),
                At(2026, 10, 25, 2, 30, 2),
                At(2026, 10, 25, 2, 0, 1),
                At(2026, 10, 25, 2, 30, 1),
                At(2026, 10, 25, 3, 0, 1),
            ])
        );
        Assert.That(
            next.Select(n => n.Note).Take(4).Select(note => note?.Split("this is the ")[1]),
            Is.EqualTo(["first time.", "first time.", "second time.", "second time."])
        );
    }

    [Test]
    public void A_zone_that_moves_by_half_an_hour_is_shown_so()
    {
        var next = PlannedFiring.Next(
            CronText.Parse("15 2 * * *", "Australia/Lord_Howe"),
            new DateTimeOffset(2026, 10, 3, 0, 0, 0, TimeSpan.Zero),
            1
        );
        Assert.That(next[0].At, Is.EqualTo(new DateTimeOffset(2026, 10, 4, 2, 30, 0, TimeSpan.FromHours(11))));
        Assert.That(next[0].Note, Does.Contain("skip from 02:00 to 02:30"));
    }

    [TestCase("*/5 * * * *", 5, null)]
    [TestCase("*/5 * * * *", 6, 5)]
    [TestCase("0 6 * * *", 1440, null, Description = "a day of 23 hours is a day")]
    [TestCase("0,50 6 * * *", 30, null)]
    [TestCase("50 5 * * *", 30, null)]
    [TestCase("0,58 * * * *", 5, 2, Description = "across the hour")]
    [TestCase("0,58 0,23 1,31 * *", 5, 2, Description = "across the month")]
    [TestCase("* * 1 1 *", 15, 1, Description = "in a year only")]
    [TestCase("0 0 29 2 *", 15, null)]
    public void A_time_between_two_firings_that_is_too_short_is_found(string cron, int smallest, int? found) =>
        Assert.That(
            CronText
                .Parse(cron, Berlin)
                .IntervalBelow(TimeSpan.FromMinutes(smallest), new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero))
                ?.TotalMinutes,
            Is.EqualTo(found)
        );

    [TestCase("Europe/Berln", ", did you mean 'Europe/Berlin'?")]
    [TestCase("", "Expected a time zone such as UTC or Europe/Berlin, got ''")]
    public void A_zone_that_is_unknown_is_named_with_one_that_is_near(string zone, string message) =>
        Assert.That(CronText.ProblemOfZone(zone), Does.Contain(message));

    private static DateTimeOffset At(int year, int month, int day, int hour, int minute, int offset) =>
        new(year, month, day, hour, minute, 0, TimeSpan.FromHours(offset));
}
