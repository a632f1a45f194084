using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// A table as a CSV file (RFC 4180), in UTF-8 and with every field quoted. Wherever a spreadsheet would take a text for
/// a formula, at its beginning or where a field may be split, an apostrophe stands before it: what a customer typed must
/// not compute on an operator's machine.
/// </summary>
internal static partial class Csv
{
    /// <summary>The answer with the file.</summary>
    /// <param name="name">The file's name, without the ending.</param>
    /// <param name="columns">The heads.</param>
    /// <param name="rows">The rows: texts, numbers, times.</param>
    public static IResult File(string name, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<object?>> rows)
    {
        var text = new StringBuilder("\uFEFF");
        Append(text, columns);
        foreach (var row in rows)
            Append(text, row);
        return Results.File(Encoding.UTF8.GetBytes(text.ToString()), "text/csv; charset=utf-8", $"{name}.csv");
    }

    /// <summary>One field.</summary>
    public static string Field(object? value)
    {
        var text = value switch
        {
            null => "",
            string words => Formula().Replace(words, "'"),
            DateTimeOffset time => Texts.Iso(time),
            Enum word => word.ToString(),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static void Append(StringBuilder text, IEnumerable<object?> fields) =>
        text.AppendJoin(',', fields.Select(Field)).Append("\r\n");

    // At the beginning and behind everything that some spreadsheet splits at: comma, semicolon, bar, tab, line end, and
    // a quote, which opens a field in a file that is split at another character. Full-width signs compute too.
    [GeneratedRegex(
        "(?<=^|[,;|\t\r\n\"])(?=[^\\S\r\n]*[=+\\-@\uFF1D\uFF0B\uFF0D\uFF20])",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Formula();
}
