using System.Text;
using Microsoft.AspNetCore.Http;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// The header <c>Idempotency-Key</c>: with it, a request may be sent again whenever the answer got lost. The header is
/// a quoted string as in the IETF draft "The Idempotency-Key HTTP Header Field", which is a string of structured fields
/// (RFC 9651); a key without quotes is taken too.
/// </summary>
public static class IdempotencyKeyHeader
{
    /// <summary>The header's name.</summary>
    public const string Name = "Idempotency-Key";

    /// <summary>Set on the answer when an earlier request had done the work.</summary>
    public const string Replayed = "Idempotency-Replayed";

    /// <summary>What a client is told whose header cannot be used.</summary>
    public const string Expected =
        "Send one Idempotency-Key of 1–255 printable ASCII characters, or none. In quotes, write \\\" for a quote and \\\\ for a backslash; without quotes, blanks, commas and quotes are not allowed.";

    private const int Longest = 255;

    /// <summary>Reads the header.</summary>
    /// <param name="headers">The request's.</param>
    /// <param name="key">The key; null when there is none.</param>
    /// <returns>False when the header is there and cannot be used.</returns>
    public static bool TryRead(IHeaderDictionary headers, out string? key)
    {
        key = null;
        if (!headers.TryGetValue(Name, out var values))
            return true;
        if (values.Count != 1 || Parse(values[0] ?? "") is not { } value || !IsUsable(value))
            return false;
        key = value;
        return true;
    }

    /// <summary>Whether a key can be used.</summary>
    public static bool IsUsable(string key) =>
        key.Length is >= 1 and <= Longest && !key.AsSpan().ContainsAnyExceptInRange(' ', '~');

    // Blanks and commas without quotes come from proxies that join several headers.
    private static string? Parse(string value)
    {
        if (value.StartsWith('"'))
            return Unquote(value);
        return value.AsSpan().ContainsAny(' ', ',', '"') ? null : value;
    }

    private static string? Unquote(string value)
    {
        var key = new StringBuilder(value.Length);
        for (var i = 1; i < value.Length; i++)
        {
            var c = value[i];
            if (c == '"')
                return i == value.Length - 1 ? key.ToString() : null;
            if (c == '\\')
            {
                i++;
                if (i == value.Length || value[i] is not ('"' or '\\'))
                    return null;
                c = value[i];
            }

            key.Append(c);
        }

        return null;
    }
}
