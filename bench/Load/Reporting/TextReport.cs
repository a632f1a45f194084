namespace Orders.Bench.Load.Reporting;

public static class TextReport
{
    public static string Of(Report report) =>
        string.Join(
            Environment.NewLine,
            [
                $"{report.Options.Orders} orders, {report.Options.Clients} clients, medians of {report.Options.Rounds} rounds; ratio = {report.Base.Name} / system",
                $"{report.Machine}; commit {report.Commit}",
                "",
                .. Align(Table.Comparison(report)),
                "",
                .. Align(Table.Resources(report)),
                "",
                .. report.Systems.Select(system => $"{system.Name}: {system.Durability}"),
                .. report.Disturbance is { } disturbance
                    ? [$"{Environment.NewLine}{disturbance}"]
                    : Array.Empty<string>(),
            ]
        );

    public static string Of(ITableReport report) =>
        string.Join(Environment.NewLine, [report.Heading, "", .. Align(report.Table)]);

    private static IEnumerable<string> Align(List<string[]> rows)
    {
        var widths = Enumerable
            .Range(0, rows[0].Length)
            .Select(column => rows.Max(row => row[column].Length))
            .ToArray();
        return rows.Select(row =>
            string.Join(
                    "  ",
                    row.Select(
                        (cell, column) =>
                            char.IsAsciiDigit(cell[0]) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column])
                    )
                )
                .TrimEnd()
        );
    }
}
