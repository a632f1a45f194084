using System.Text;
using Orders.Testing.Servers;
using UglyToad.PdfPig;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>
/// Looks for texts everywhere: in each column of each table that can hold a text, in PDFs as a reader sees them, and in
/// each queue, bodies and headers.
/// </summary>
internal static class PersonalTraces
{
    private const string Columns = """
        select c.table_name || '.' || c.column_name, c.table_name, c.column_name, c.data_type
        from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
        where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
            and c.data_type in ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'xml', 'ARRAY')
        order by 1
        """;

    /// <summary>A column that can hold a text.</summary>
    internal sealed record TextColumn(string Name, string Table, string Column, string Type);

    /// <summary>All columns that can hold a text.</summary>
    public static async Task<IReadOnlyList<TextColumn>> ColumnsAsync(TestDatabase database) =>
        [
            .. (await database.RowsAsync(Columns)).Select(r => new TextColumn(
                (string)r[0]!,
                (string)r[1]!,
                (string)r[2]!,
                (string)r[3]!
            )),
        ];

    /// <summary>The columns that hold one of the texts, with it.</summary>
    /// <param name="database">Where.</param>
    /// <param name="texts">In lower case.</param>
    public static async Task<IReadOnlyList<string>> InDatabaseAsync(TestDatabase database, IReadOnlyList<string> texts)
    {
        var found = new List<string>();
        foreach (var column in await ColumnsAsync(database))
        {
            // Bytes come as they are: text in them is read as UTF-8, and a PDF as its readers see it.
            var values = await database.RowsAsync(
                $"""
                select {(column.Type == "bytea" ? $"\"{column.Column}\"" : $"\"{column.Column}\"::text")}
                from "{column.Table}" where "{column.Column}" is not null
                """
            );
            foreach (var value in values.Select(v => Plain(v[0]!)))
                found.AddRange(texts.Where(value.Contains).Select(text => $"{column.Name}: {text}"));
        }

        return [.. found.Distinct()];
    }

    /// <summary>The queues with a message that holds one of the texts, with it.</summary>
    public static async Task<IReadOnlyList<string>> InQueuesAsync(OrdersSystem system, IReadOnlyList<string> texts)
    {
        var found = new List<string>();
        var steps = (await system.Database.RowsAsync("select step from step_catalogue")).Select(r => (string)r[0]!);
        foreach (var queue in steps.SelectMany(s => new[] { s, $"{s}_error", $"{s}_skipped" }).Append("unrouted"))
        {
            foreach (var message in await system.Broker.PeekAllAsync(queue))
            {
                var headers = message.BasicProperties.Headers?.Values.Select(v => v is byte[] b ? Plain(b) : $"{v}");
                var text = string.Join(' ', [Plain(message.Body.ToArray()), .. headers ?? []]);
                found.AddRange(
                    texts.Where(t => text.Contains(t, StringComparison.OrdinalIgnoreCase)).Select(t => $"{queue}: {t}")
                );
            }
        }

        return [.. found.Distinct()];
    }

    /// <summary>What a PDF says.</summary>
    public static string OfPdf(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        return string.Join(' ', document.GetPages().Select(p => string.Concat(p.Letters.Select(l => l.Value))));
    }

    private static string Plain(object value) =>
        (
            value switch
            {
                byte[] pdf when pdf.AsSpan().StartsWith("%PDF"u8) => OfPdf(pdf) + Encoding.Latin1.GetString(pdf),
                byte[] bytes => Encoding.UTF8.GetString(bytes),
                _ => (string)value,
            }
        ).ToLowerInvariant();
}
