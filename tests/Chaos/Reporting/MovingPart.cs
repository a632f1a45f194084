using System.Globalization;
using System.Text;

namespace Orders.Chaos.Reporting;

/// <summary>Something that still moves at the end of a run.</summary>
/// <param name="What">The table, queue or statement, and which part of it.</param>
/// <param name="Count">How many rows, messages or sessions.</param>
/// <param name="Detail">What helps to find them: an id, an error, an age.</param>
public sealed record MovingPart(string What, long Count, string Detail)
{
    private const int MostNamed = 20;
    private const int LongestDetail = 300;

    /// <summary>Names them, one a line, the most numerous first.</summary>
    public static string TextOf(IReadOnlyCollection<MovingPart> parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts.OrderByDescending(p => p.Count).ThenBy(p => p.What).Take(MostNamed))
            text.AppendLine(CultureInfo.InvariantCulture, $"    {part}");
        if (parts.Count > MostNamed)
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"    and {parts.Count - MostNamed} more kinds, {parts.OrderByDescending(p => p.Count).ThenBy(p => p.What).Skip(MostNamed).Sum(p => p.Count)} in all"
            );
        return text.ToString();
    }

    /// <summary>One line, whatever the detail quotes.</summary>
    public override string ToString()
    {
        var detail = Detail.ReplaceLineEndings(" ").Trim();
        if (detail.Length > LongestDetail)
            detail = $"{detail[..LongestDetail]}…";
        return $"{What}: {Count.ToString(CultureInfo.InvariantCulture)}{(detail == "" ? "" : $" ({detail})")}";
    }
}
