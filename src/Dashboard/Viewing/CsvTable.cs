namespace Orders.Dashboard.Viewing;

/// <summary>A table that can be downloaded.</summary>
/// <param name="Name">The file's name, without the ending.</param>
/// <param name="Columns">Each column's head, and what stands in it.</param>
internal sealed record CsvTable<T>(string Name, params IReadOnlyList<(string Head, Func<T, object?> Value)> Columns)
{
    /// <summary>The answer with the file.</summary>
    public IResult Of(IEnumerable<T> rows) =>
        Csv.File(
            Name,
            [.. Columns.Select(column => column.Head)],
            rows.Select(row => (IReadOnlyList<object?>)[.. Columns.Select(column => column.Value(row))])
        );
}
