namespace QueueWorkers.Scheduling.Firings;

/// <summary>What a schedule that is due has to do now, by its misfire policy.</summary>
/// <param name="Due">The firings to make, in order.</param>
/// <param name="LeftOut">Missed firings that are not made up for.</param>
/// <param name="Next">When the schedule is due next; null when never again.</param>
public sealed record FiringPlan(IReadOnlyList<DateTimeOffset> Due, int LeftOut, DateTimeOffset? Next)
{
    /// <summary>The most firings of one schedule in one transaction; what is left follows in the next one.</summary>
    public const int MostAtOnce = 500;

    // Beyond that many a missed firing is not worth counting.
    private const int MostCounted = 10_000;

    /// <summary>Plans.</summary>
    /// <param name="cron">When the schedule is due.</param>
    /// <param name="policy">What becomes of what was missed.</param>
    /// <param name="nextDue">The first firing that nobody has made.</param>
    /// <param name="now">The database's time: all replicas see the same.</param>
    /// <param name="tolerance">How late a firing may be before it counts as missed.</param>
    public static FiringPlan Of(
        CronText cron,
        Misfire policy,
        DateTimeOffset nextDue,
        DateTimeOffset now,
        TimeSpan tolerance
    )
    {
        var due = new List<DateTimeOffset>();
        var inTime = now - tolerance;
        DateTimeOffset? next = nextDue;
        var leftOut = 0;
        if (policy is not Misfire.All && nextDue < inTime)
        {
            leftOut = Missed(cron, nextDue, inTime);
            if (policy is Misfire.Once)
            {
                due.Add(nextDue);
                leftOut--;
            }

            next = cron.From(inTime);
        }

        while (next <= now && due.Count < MostAtOnce)
        {
            due.Add(next.Value);
            next = cron.After(next.Value);
        }

        return new FiringPlan(due, leftOut, next);
    }

    private static int Missed(CronText cron, DateTimeOffset first, DateTimeOffset before)
    {
        var count = 0;
        for (DateTimeOffset? at = first; at < before && count < MostCounted; at = cron.After(at.Value))
            count++;
        return count;
    }
}
