using System.Globalization;
using System.Text;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// A table as a CSV file (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe in front:
/// what a customer typed must not compute on an operator's machine.
/// </summary>
internal static class Csv
{
    private const string Formula = "=+-@\t\r";

    /// <summary>The answer with the file.</summary>
    /// <param name="name">The file's name, without the ending.</param>
    /// <param name="columns">The heads.</param>
    /// <param name="rows">The rows: texts, numbers, times.</param>
    public static IResult File(string name, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<object?>> rows)
    {
        var text = new StringBuilder();
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
            string words => words.Length > 0 && Formula.Contains(words[0], StringComparison.Ordinal)
                ? $"'{words}"
                : words,
            DateTimeOffset time => Texts.Iso(time),
            Enum word => word.ToString(),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0
            ? text
            : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static void Append(StringBuilder text, IEnumerable<object?> fields) =>
        text.AppendJoin(',', fields.Select(Field)).Append("\r\n");
}
