using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace QueueWorkers.DeadLetters.Recording;

/// <summary>
/// Says which failures have one cause: the same step, exception type, message without its numbers, ids and addresses,
/// and the same first frames of our own code.
/// </summary>
public static partial class FaultFingerprint
{
    private const int FramesThatCount = 3;
    private const int LongestStack = 8000;

    /// <summary>The fingerprint: 16 hexadecimal digits.</summary>
    /// <param name="step">The step; null when no step had the message.</param>
    /// <param name="faultType">The exception's type.</param>
    /// <param name="faultMessage">Its message.</param>
    /// <param name="stack">Its stack, normalised or not.</param>
    public static string Of(string? step, string faultType, string faultMessage, string? stack)
    {
        var frames = Frames(stack).Where(IsOurs).Take(FramesThatCount);
        var text = string.Join('\n', [step ?? "", faultType, Shape(faultMessage), .. frames]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }

    /// <summary>
    /// A stack as its frames, one a line, without paths, line numbers and the names that the compiler makes up; null
    /// when there are none.
    /// </summary>
    public static string? Normalise(string? stack)
    {
        var text = string.Join('\n', Frames(stack));
        return text.Length == 0 ? null
            : text.Length <= LongestStack ? text
            : text[..LongestStack];
    }

    /// <summary>A message without what differs from case to case.</summary>
    public static string Shape(string message)
    {
        var shape = Hex().Replace(Id().Replace(Trace().Replace(message, "{id}"), "{id}"), "{id}");
        shape = Address().Replace(shape, "{address}");
        return Number().Replace(shape, "{n}");
    }

    private static IEnumerable<string> Frames(string? stack)
    {
        foreach (
            var line in (stack ?? "").Split(
                '\n',
                StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
            )
        )
        {
            // From "at Name(Args) in /path:line 7" or an already normalised "Name(Args)"; not "--- End of stack trace".
            var frame = line.StartsWith("at ", StringComparison.Ordinal) ? line[3..] : line;
            if (frame.StartsWith("---", StringComparison.Ordinal) || !frame.Contains('(', StringComparison.Ordinal))
                continue;
            var path = frame.IndexOf(" in ", StringComparison.Ordinal);
            yield return Generated().Replace(path < 0 ? frame : frame[..path], "$1");
        }
    }

    private static bool IsOurs(string frame) =>
        !frame.StartsWith("System.", StringComparison.Ordinal)
        && !frame.StartsWith("Microsoft.", StringComparison.Ordinal)
        && !frame.StartsWith("MassTransit.", StringComparison.Ordinal);

    // A W3C trace parent, also one that was cut off with the answer that it stands in: what is left of an id may be
    // digits alone, or too short for one.
    [GeneratedRegex(@"\b00-[0-9a-fA-F]+(?:-[0-9a-fA-F]*){0,2}")]
    private static partial Regex Trace();

    [GeneratedRegex("[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")]
    private static partial Regex Id();

    // Ids of traces and spans, hashes: digits and letters both, so that no word and no number is one.
    [GeneratedRegex(@"\b(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{8,}\b")]
    private static partial Regex Hex();

    [GeneratedRegex(@"[^\s<>""'@]+@[^\s<>""'@]+")]
    private static partial Regex Address();

    [GeneratedRegex(@"\d+([.,:]\d+)*")]
    private static partial Regex Number();

    // Type.<Method>d__3.MoveNext() and Type.<>c.<Method>b__0(…) become Type.Method.
    [GeneratedRegex(@"(?:<>c(?:__DisplayClass\w+)?\.)?<(\w+)>[\w|]+(?:\.MoveNext)?")]
    private static partial Regex Generated();
}
