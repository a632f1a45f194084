using System.Globalization;
using Orders.Dashboard.Viewing;

namespace Orders.Dashboard.Live;

/// <summary>A small line of figures, newest at the right edge: 110 by 20, as the script draws it too.</summary>
internal static class Spark
{
    /// <summary>The line in words, as the script says it too.</summary>
    public static string Says(IReadOnlyList<long> depths) =>
        depths.Count == 0
            ? "Depth over the last minute: not known yet"
            : $"Depth over the last minute: {Texts.Count(depths[^1])} now, {Texts.Count(depths.Max())} at most";

    public static string Points(IReadOnlyList<long> depths, int places = 60)
    {
        var top = Math.Max(1, depths.Count == 0 ? 1 : depths.Max());
        return string.Join(
            ' ',
            depths.Select(
                (depth, i) =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{110 - ((depths.Count - 1 - i) * 110.0 / (places - 1)):0.0},{19 - (18.0 * depth / top):0.0}"
                    )
            )
        );
    }
}
