namespace QueueWorkers.Hosting;

/// <summary>How far two words are apart, for "did you mean".</summary>
public static class EditDistance
{
    /// <summary>
    /// The beginning of an answer to a name that is not known: <c>, did you mean 'email'?</c>; empty when nothing is
    /// near.
    /// </summary>
    public static string Suggest(string name, IReadOnlyCollection<string> known) =>
        known.MinBy(k => Between(k, name)) is { } nearest && Between(nearest, name) <= Math.Max(2, name.Length / 2)
            ? $", did you mean '{nearest}'?"
            : "";

    /// <summary>The Levenshtein distance: insertions, deletions and replacements of single characters.</summary>
    public static int Between(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
