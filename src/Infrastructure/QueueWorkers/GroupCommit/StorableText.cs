using System.Text;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// Makes any text fit for PostgreSQL, which takes neither NUL nor half a surrogate pair. The one place for it: every
/// text from outside (a reply, a fault that quotes one, a foreign message)
/// goes through here before it becomes a parameter. A text that cannot be encoded fails its whole statement, and with
/// it the record of why a step failed.
/// </summary>
public static class StorableText
{
    /// <summary>
    /// The text with what cannot be stored replaced, at most so long. A pair of surrogates is never cut through.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="longest">The most UTF-16 units to keep.</param>
    public static string Of(string text, int longest = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length > longest)
            text = text[
                ..(
                    longest > 0 && char.IsHighSurrogate(text[longest - 1]) && char.IsLowSurrogate(text[longest])
                        ? longest - 1
                        : longest
                )
            ];
        // Half a pair becomes the replacement character, U+FFFD.
        return IsStorable(text)
            ? text
            : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace("\0", "", StringComparison.Ordinal);
    }

    /// <summary>The same; null stays null.</summary>
    public static string? OfNullable(string? text, int longest = int.MaxValue) =>
        text is null ? null : Of(text, longest);

    private static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0')
                return false;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[++i]))
                return false;
        }

        return true;
    }
}
