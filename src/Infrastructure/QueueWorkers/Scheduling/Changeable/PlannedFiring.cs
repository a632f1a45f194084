namespace QueueWorkers.Scheduling.Changeable;

/// <summary>A firing that is to come, as the clocks of its zone will show it.</summary>
/// <param name="At">When, with the zone's distance from UTC at that moment.</param>
/// <param name="Note">What the clocks of the zone do then; null when they do nothing.</param>
public sealed record PlannedFiring(DateTimeOffset At, string? Note)
{
    /// <summary>How many firings a preview shows.</summary>
    public const int Shown = 10;

    /// <summary>The next firings after a moment; fewer when there are no more.</summary>
    public static IReadOnlyList<PlannedFiring> Next(CronText cron, DateTimeOffset after, int count = Shown)
    {
        var planned = new List<PlannedFiring>();
        var before = TimeZoneInfo.ConvertTime(after, cron.Zone);
        for (var next = cron.After(after); next is { } moment && planned.Count < count; next = cron.After(moment))
        {
            var at = TimeZoneInfo.ConvertTime(moment, cron.Zone);
            planned.Add(new PlannedFiring(at, NoteOf(cron, before, at)));
            before = at;
        }

        return planned;
    }

    private static string? NoteOf(CronText cron, DateTimeOffset before, DateTimeOffset at)
    {
        var gained = at.Offset - cron.Zone.GetUtcOffset(at.AddTicks(-1));
        if (gained > TimeSpan.Zero && !cron.Names(at))
            return $"The clocks skip from {at - gained:HH:mm} to {at:HH:mm}: what falls between fires at the end.";
        if (cron.Zone.IsAmbiguousTime(at))
            return at.Offset == cron.Zone.GetAmbiguousTimeOffsets(at).Max()
                ? "The clocks show this time twice; this is the first time."
                : "The clocks show this time twice; this is the second time.";
        var moved = at.Offset - before.Offset;
        return moved == TimeSpan.Zero
            ? null
            : $"The clocks went {(moved > TimeSpan.Zero ? "forward" : "back")} by {moved.Duration():h\\:mm} h since the firing before.";
    }
}
