using System.Text;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// The <c>Idempotency-Key</c>: with it, an order may be posted again whenever the answer got lost. The header is a
/// quoted string as in the IETF draft "The Idempotency-Key HTTP Header Field", which is a string of structured fields
/// (RFC 9651); a key without quotes is taken too.
/// </summary>
internal static class IdempotencyKey
{
    /// <summary>The header's name.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>Set on the answer when the order had been made by an earlier request.</summary>
    public const string ReplayedHeader = "Idempotency-Replayed";

    private const int Longest = 255;

    private static readonly Problem Refusal = new(
        ProblemKinds.InvalidIdempotencyKey,
        "Send one Idempotency-Key of 1–255 printable ASCII characters, or none. In quotes, write \\\" for a quote and \\\\ for a backslash; without quotes, blanks, commas and quotes are not allowed."
    );

    /// <summary>Reads the header.</summary>
    /// <param name="request">The request.</param>
    /// <param name="key">The key; null when there is none.</param>
    /// <returns>The refusal when the header is there and cannot be used.</returns>
    public static Problem? TryRead(HttpRequest request, out string? key)
    {
        key = null;
        if (!request.Headers.TryGetValue(Header, out var values))
            return null;
        if (values.Count == 1 && Parse(values[0] ?? "") is { } value && FaultIn(value) is null)
        {
            key = value;
            return null;
        }

        return Refusal;
    }

    /// <summary>The refusal of a key that cannot be used; null when it can.</summary>
    public static Problem? FaultIn(string key) =>
        key.Length is >= 1 and <= Longest && !key.AsSpan().ContainsAnyExceptInRange(' ', '~') ? null : Refusal;

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
