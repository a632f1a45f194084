using System.Globalization;
using QueueWorkers.Monitoring.History;

namespace Orders.Dashboard.Viewing;

/// <summary>How figures look to people: 1,089 · 12.4 · 42 ms · 3 min · 1.5 h.</summary>
internal static class Texts
{
    /// <summary>Where there is nothing to show.</summary>
    public const string None = "—";

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count that was only counted up to a limit.</summary>
    public static string Count(long number, long limit) => number >= limit ? $"{Count(limit)}+" : Count(number);

    public static string Rate(double perSecond) =>
        perSecond.ToString(perSecond < 100 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    public static string Money(decimal amount, string currency) =>
        string.Create(CultureInfo.InvariantCulture, $"{amount:N2} {currency}");

    public static string Percent(double share) =>
        string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(share * 10_000) / 100:0.##} %");

    public static string Duration(TimeSpan? time) =>
        time is not { } t
            ? None
            : t.TotalMilliseconds switch
            {
                < 0 => "0 ms",
                < 999.5 => string.Create(CultureInfo.InvariantCulture, $"{t.TotalMilliseconds:0} ms"),
                < 9_950 => string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0.0} s"),
                < 119_500 => string.Create(CultureInfo.InvariantCulture, $"{t.TotalSeconds:0} s"),
                < 5_400_000 => string.Create(CultureInfo.InvariantCulture, $"{t.TotalMinutes:0} min"),
                < 172_800_000 => string.Create(CultureInfo.InvariantCulture, $"{t.TotalHours:0.0} h"),
                _ => string.Create(CultureInfo.InvariantCulture, $"{t.TotalDays:0} d"),
            };

    public static string Utc(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Iso(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>When a build came into use.</summary>
    public static string Deployment(DeployMark deploy) => $"{deploy.Build} at {Utc(deploy.At)}";

    /// <summary>"1 order", "2 orders".</summary>
    public static string Many(long number, string one, string? many = null) =>
        $"{Count(number)} {(number == 1 ? one : many ?? one + "s")}";

    /// <summary>NeedsAttention reads "Needs attention".</summary>
    public static string Words(Enum value)
    {
        var name = value.ToString();
        return string.Concat(
            name.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : c.ToString())
        );
    }
}
