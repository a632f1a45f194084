namespace Orders.Dashboard.OrderPages;

/// <summary>Where an axis of time has its ticks: at lengths that people count in, from zero.</summary>
public static class DurationTicks
{
    private static readonly TimeSpan[] Steps =
    [
        .. ((int[])[1, 2, 5, 10, 20, 50, 100, 200, 500]).Select(n => TimeSpan.FromMilliseconds(n)),
        .. ((int[])[1, 2, 5, 10, 15, 30]).Select(n => TimeSpan.FromSeconds(n)),
        .. ((int[])[1, 2, 5, 10, 15, 30]).Select(n => TimeSpan.FromMinutes(n)),
        .. ((int[])[1, 2, 3, 6, 12]).Select(n => TimeSpan.FromHours(n)),
        .. ((int[])[1, 2, 7, 14, 30, 90, 365]).Select(n => TimeSpan.FromDays(n)),
    ];

    /// <summary>The ticks from zero up to a length that is not exceeded.</summary>
    /// <param name="length">How long the axis is.</param>
    /// <param name="most">How many steps there may be.</param>
    public static IReadOnlyList<TimeSpan> Of(TimeSpan length, int most)
    {
        var step = Steps.FirstOrDefault(s => length / s <= most);
        if (step == TimeSpan.Zero)
            step = Steps[^1] * Math.Ceiling(length / Steps[^1] / most);
        return [.. Enumerable.Range(0, (int)(length / step) + 1).Select(i => step * i)];
    }

    /// <summary>What stands at a tick: exact, in the largest unit that has at most one decimal.</summary>
    public static string Text(TimeSpan tick)
    {
        if (tick == TimeSpan.Zero)
            return "0";
        foreach (
            var (unit, name) in ((TimeSpan, string)[])
                [
                    (TimeSpan.FromDays(1), "d"),
                    (TimeSpan.FromHours(1), "h"),
                    (TimeSpan.FromMinutes(1), "min"),
                    (TimeSpan.FromSeconds(1), "s"),
                ]
        )
        {
            if (tick >= unit && tick.Ticks * 10 % unit.Ticks == 0)
                return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{tick / unit:0.#} {name}");
        }

        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{tick.TotalMilliseconds:0} ms");
    }
}
