using System.Text;

namespace QueueWorkers.DeadLetters;

/// <summary>Makes any text fit for PostgreSQL, which takes neither NUL nor half a character: what strangers send, and what faults quote of it, may hold both.</summary>
internal static class StorableText
{
    /// <summary>The text, at most so long.</summary>
    public static string Of(string text, int longest)
    {
        if (text.Length > longest)
            text = text[..longest];
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace("\0", "", StringComparison.Ordinal);
    }

    /// <summary>The same; null stays null.</summary>
    public static string? OfNullable(string? text, int longest) => text is null ? null : Of(text, longest);
}
