using System.Globalization;
using System.Text.RegularExpressions;

namespace QueueWorkers.Steps;

/// <summary>
/// How many runs of a step may begin in a span of time, over all replicas; evenly spread, for the outside world likes
/// it better than bursts.
/// In no window of that length, wherever it begins, are there more than <see cref="Permits"/> and one
/// <see cref="Bundle"/>.
/// </summary>
/// <param name="Permits">Runs, 1 or more.</param>
/// <param name="Window">The span.</param>
/// <param name="Key">The key by which messages are told apart, such as <c>customer</c>; each value has the limit to
/// itself. Null for one limit for all.</param>
public readonly partial record struct RateLimit(int Permits, TimeSpan Window, string? Key = null)
{
    private static readonly TimeSpan Burst = TimeSpan.FromMilliseconds(250);

    private static readonly Dictionary<string, TimeSpan> Units = new()
    {
        ["s"] = TimeSpan.FromSeconds(1),
        ["m"] = TimeSpan.FromMinutes(1),
        ["h"] = TimeSpan.FromHours(1),
        ["d"] = TimeSpan.FromDays(1),
    };

    /// <summary>The time between two permits.</summary>
    public TimeSpan Interval => Window / Permits;

    /// <summary>
    /// Permits that are handed to a replica at once: a twentieth of the window's, or those of a quarter of a second,
    /// whichever is more.
    /// </summary>
    public int Bundle => (int)Math.Clamp(Math.Ceiling(Permits * Math.Max(0.05, Burst / Window)), 1, 1000);

    /// <summary>A limit per second.</summary>
    public static RateLimit PerSecond(int permits) => new(permits, TimeSpan.FromSeconds(1));

    /// <summary>A limit per minute.</summary>
    public static RateLimit PerMinute(int permits) => new(permits, TimeSpan.FromMinutes(1));

    /// <summary>A limit per hour.</summary>
    public static RateLimit PerHour(int permits) => new(permits, TimeSpan.FromHours(1));

    /// <summary>The same limit for each value of a key that messages carry.</summary>
    public RateLimit Per(string key) => this with { Key = key };

    /// <summary>
    /// The form that <see cref="ParseAll"/> reads, such as <c>100/m</c> or <c>5/10s per customer</c>.
    /// </summary>
    public override string ToString()
    {
        var window = Window;
        var (unit, length) = Units.Reverse().First(u => window.Ticks % u.Value.Ticks == 0 || u.Key == "s");
        var count = window.Ticks == length.Ticks ? "" : (window / length).ToString(CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Permits}/{count}{unit}{(Key is null ? "" : $" per {Key}")}"
        );
    }

    /// <summary>Reads limits from text: <c>100/m, 5/10s per customer</c>. Empty text means none.</summary>
    /// <exception cref="FormatException">With what was expected and what was found.</exception>
    public static IReadOnlyList<RateLimit> ParseAll(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    /// <summary>Writes limits in the form that <see cref="ParseAll"/> reads.</summary>
    public static string Format(IEnumerable<RateLimit> limits) => string.Join(", ", limits);

    private static RateLimit Parse(string text)
    {
        var match = Pattern().Match(text);
        if (
            !match.Success
            || !int.TryParse(match.Groups["permits"].Value, CultureInfo.InvariantCulture, out var permits)
            || permits < 1
        )
            throw new FormatException(
                $"Expected a rate limit such as '100/m' or '5/10s per customer' (units s, m, h, d), found '{text}'."
            );
        var count = match.Groups["count"].Value is { Length: > 0 } number
            ? int.Parse(number, CultureInfo.InvariantCulture)
            : 1;
        if (count < 1)
            throw new FormatException($"Expected a window of at least one second in the rate limit, found '{text}'.");
        return new RateLimit(
            permits,
            Units[match.Groups["unit"].Value] * count,
            match.Groups["key"].Value is { Length: > 0 } key ? key : null
        );
    }

    [GeneratedRegex(
        @"^(?<permits>[0-9]{1,7})/(?<count>[0-9]{0,4})(?<unit>[smhd])( per (?<key>[a-z][a-z0-9-]{0,30}))?$"
    )]
    private static partial Regex Pattern();
}
