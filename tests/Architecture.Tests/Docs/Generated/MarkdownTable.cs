using System.Text;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>Rows of text as a Markdown table.</summary>
internal static class MarkdownTable
{
    /// <summary>Writes it; a cell's <c>|</c> is escaped.</summary>
    public static string Of(string[] columns, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        Append(text, columns);
        Append(text, [.. columns.Select(_ => "---")], "|");
        foreach (var row in rows)
            Append(text, [.. row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))]);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string[] cells, string around = " ") =>
        text.Append(around == "|" ? "|" : "| ")
            .AppendJoin(around == "|" ? "|" : " | ", cells)
            .Append(around == "|" ? "|" : " |")
            .Append('\n');
}
