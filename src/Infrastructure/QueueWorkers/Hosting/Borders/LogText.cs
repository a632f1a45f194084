using System.Buffers;
using System.Globalization;
using System.Text;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Text as a log line shows it: control characters and those that turn text around become escapes such as
/// <c>\u001b</c>. Whoever reads a log in a terminal sees what was said, and nothing is hidden or overwritten. Line ends
/// and tabs stay; the console writes a line end within an event as a space.
/// </summary>
internal static class LogText
{
    private static readonly SearchValues<char> Steering = SearchValues.Create([
        .. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(c => char.IsControl(c) && c is not ('\n' or '\t')),
        // Line and paragraph separators, and marks of direction.
        .. "\u2028\u2029\u200E\u200F\u061C\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069",
    ]);

    /// <summary>The text with escapes; the same object when there is nothing to escape.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAny(Steering))
            return text;
        var safe = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (Steering.Contains(c))
                safe.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                safe.Append(c);
        }

        return safe.ToString();
    }

    /// <summary>The fault itself when its text has nothing to escape; otherwise one with the escaped text.</summary>
    public static Exception Of(Exception fault)
    {
        var text = fault.ToString();
        var safe = Of(text);
        return ReferenceEquals(text, safe) ? fault : new MaskedFaultException(fault, Of(fault.Message), safe);
    }
}
