using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>What a schedule does when it is due: in time, late, and much too late.</summary>
public sealed class FiringPlanTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);
    private static readonly CronText EveryMinute = CronText.Parse("* * * * *", "UTC");

    [Test]
    public void In_time_it_fires_what_is_due([Values] Misfire policy)
    {
        var plan = FiringPlan.Of(EveryMinute, policy, Noon, Noon.AddMilliseconds(3), Tolerance);
        Assert.That(plan.Due, Is.EqualTo([Noon]));
        Assert.That(plan, Has.Property("LeftOut").Zero.And.Property("Next").EqualTo(Noon.AddMinutes(1)));
    }

    [Test]
    public void A_little_late_is_in_time([Values] Misfire policy)
    {
        var plan = FiringPlan.Of(CronText.Parse("*/5 * * * * *", "UTC"), policy, Noon, Noon.AddSeconds(7), Tolerance);
        Assert.That(plan.Due, Is.EqualTo([Noon, Noon.AddSeconds(5)]));
        Assert.That(plan.Next, Is.EqualTo(Noon.AddSeconds(10)));
    }

    [TestCase(Misfire.Skip, new[] { 60 }, 60)]
    [TestCase(Misfire.Once, new[] { 0, 60 }, 59)]
    public void An_hour_late_the_policy_decides(Misfire policy, int[] minutes, int leftOut)
    {
        var plan = FiringPlan.Of(EveryMinute, policy, Noon, Noon.AddHours(1).AddSeconds(1), Tolerance);
        Assert.That(plan.Due, Is.EqualTo(minutes.Select(m => Noon.AddMinutes(m))));
        Assert.That(plan, Has.Property("LeftOut").EqualTo(leftOut).And.Property("Next").EqualTo(Noon.AddMinutes(61)));
    }

    [Test]
    public void Making_up_for_all_misses_none_and_takes_its_time()
    {
        var plan = FiringPlan.Of(EveryMinute, Misfire.All, Noon, Noon.AddDays(1), Tolerance);
        Assert.That(plan.Due, Is.EqualTo(Enumerable.Range(0, FiringPlan.MostAtOnce).Select(m => Noon.AddMinutes(m))));
        Assert.That(
            plan,
            Has.Property("LeftOut").Zero.And.Property("Next").EqualTo(Noon.AddMinutes(FiringPlan.MostAtOnce))
        );
    }

    [Test]
    public void Between_two_moments_of_a_skipping_schedule_nothing_fires()
    {
        var plan = FiringPlan.Of(EveryMinute, Misfire.Skip, Noon, Noon.AddSeconds(30), Tolerance);
        Assert.That(plan.Due, Is.Empty);
        Assert.That(plan, Has.Property("LeftOut").EqualTo(1).And.Property("Next").EqualTo(Noon.AddMinutes(1)));
    }

    [Test]
    public void A_night_job_fires_once_when_the_clocks_go_back_and_once_when_they_go_forward()
    {
        var night = CronText.Parse("30 2 * * *", "Europe/Berlin");
        var back = new DateTimeOffset(2026, 10, 24, 22, 0, 0, TimeSpan.Zero);
        Assert.That(night.After(back), Is.EqualTo(new DateTimeOffset(2026, 10, 25, 0, 30, 0, TimeSpan.Zero)));
        Assert.That(
            night.After(night.After(back)!.Value),
            Is.EqualTo(new DateTimeOffset(2026, 10, 26, 1, 30, 0, TimeSpan.Zero))
        );
        var forward = new DateTimeOffset(2026, 3, 28, 22, 0, 0, TimeSpan.Zero);
        Assert.That(
            night.After(forward),
            Is.EqualTo(new DateTimeOffset(2026, 3, 29, 1, 0, 0, TimeSpan.Zero)),
            "02:30 does not exist that night"
        );
    }

    // Skipped hours and doubled hours, at night and at midnight, of an hour and of half an hour.
    [TestCase("30 2 * * *", "Europe/Berlin")]
    [TestCase("0 2 * * *", "America/New_York")]
    [TestCase("30 1 * * *", "America/New_York")]
    [TestCase("0 0 * * *", "America/Santiago")]
    [TestCase("30 23 * * *", "America/Santiago")]
    [TestCase("0 0 * * *", "Africa/Cairo")]
    [TestCase("0 0 * * *", "Asia/Beirut")]
    [TestCase("15 2 * * *", "Australia/Lord_Howe")]
    [TestCase("45 1 * * *", "Australia/Lord_Howe")]
    public void A_daily_schedule_fires_once_on_each_day_of_a_year_whatever_the_clocks_do(string text, string zone)
    {
        var cron = CronText.Parse(text, zone);
        var local = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var (next, now) = (cron.After(Noon)!.Value, Noon);
        var fired = new List<DateTimeOffset>();
        while (fired.Count < 366)
        {
            // Somebody looks every seven minutes: late, but within an hour's tolerance.
            now += TimeSpan.FromMinutes(7);
            if (next > now)
                continue;
            var plan = FiringPlan.Of(cron, Misfire.Skip, next, now, TimeSpan.FromHours(1));
            fired.AddRange(plan.Due);
            Assert.That(plan, Has.Property("LeftOut").Zero);
            next = plan.Next!.Value;
        }

        var days = fired.ConvertAll(at => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, local).DateTime));
        Assert.That(days, Is.EqualTo(Enumerable.Range(0, 366).Select(days[0].AddDays)), "local days");
    }

    [TestCase("* * * *", "UTC", "Expected a cron text")]
    [TestCase("61 * * * *", "UTC", "Expected a cron text")]
    [TestCase("* * * * *", "Europe/Atlantis", "Expected a time zone")]
    [TestCase("0 0 30 2 *", "UTC", "Expected a cron text that fires some day, got '0 0 30 2 *'")]
    [TestCase("0 0 12 31 4,6,9,11 *", "Europe/Berlin", "Expected a cron text that fires some day")]
    public void What_cannot_be_used_is_refused_with_what_was_expected(string cron, string zone, string message) =>
        Assert.That(
            () => CronText.Parse(cron, zone),
            Throws.TypeOf<FormatException>().With.Message.StartsWith(message)
        );
}
