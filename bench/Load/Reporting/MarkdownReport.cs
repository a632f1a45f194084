namespace Orders.Bench.Load.Reporting;

/// <summary>Keeps the table in the documentation the one of the last run.</summary>
public static class MarkdownReport
{
    private const string End = "<!-- bench end -->";

    /// <exception cref="InvalidOperationException">The file has no marks to write between.</exception>
    public static Task ReplaceAsync(string file, Report report) =>
        ReplaceAsync(file, "<!-- bench: written by ./dev bench --doc -->", Of(report));

    /// <exception cref="InvalidOperationException">The file has no marks to write between.</exception>
    public static Task ReplaceAsync(string file, ITableReport report) =>
        ReplaceAsync(
            file,
            $"<!-- bench-{report.Mark}: written by ./dev bench --{report.Mark} --doc -->",
            string.Join('\n', [report.Heading, "", .. Rows(report.Table), ""])
        );

    private static async Task ReplaceAsync(string file, string mark, string content)
    {
        var text = await File.ReadAllTextAsync(file);
        var start = text.IndexOf(mark, StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf(End, start, StringComparison.Ordinal);
        if (end < 0)
            throw new InvalidOperationException(
                $"expected the lines `{mark}` and `{End}` in {file}: add them where the table belongs"
            );
        await File.WriteAllTextAsync(file, text[..start] + mark + "\n" + content + text[end..]);
    }

    private static string Of(Report report) =>
        string.Join(
            '\n',
            [
                $"Measured on {report.Machine}, commit {report.Commit}, {DateTime.UtcNow:yyyy-MM-dd}: {report.Options.Orders} orders, {report.Options.Clients} clients,",
                $"medians of {report.Options.Rounds} alternating rounds. A ratio is {report.Base.Name} divided by that system. Latencies in ms, WAL per order.",
                .. report.Disturbance is { } disturbance ? ["", $"**{disturbance}**"] : Array.Empty<string>(),
                "",
                .. Rows(Table.Comparison(report)),
                "",
                .. Rows(Table.Resources(report)),
                "",
                .. report.Systems.Select(system => $"- `{system.Name}`: {system.Durability}"),
                "",
            ]
        );

    private static IEnumerable<string> Rows(List<string[]> rows) =>
        rows.Select(row => $"| {string.Join(" | ", row)} |")
            .Take(1)
            .Append($"|{string.Concat(Enumerable.Repeat("---|", rows[0].Length))}")
            .Concat(rows.Skip(1).Select(row => $"| {string.Join(" | ", row)} |"));
}
