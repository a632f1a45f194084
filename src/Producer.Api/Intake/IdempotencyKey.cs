using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// The <c>Idempotency-Key</c> header: with it, an order may be posted again whenever the answer got lost.
/// </summary>
internal static class IdempotencyKey
{
    /// <summary>The header's name.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>Set on the answer when the order had been made by an earlier request.</summary>
    public const string ReplayedHeader = "Idempotency-Replayed";

    private static readonly Problem Refusal = new(
        ProblemKinds.InvalidIdempotencyKey,
        "Send one Idempotency-Key of 8–64 characters out of A–Z, a–z, 0–9, _ and -, or none."
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
        if (
            values.Count != 1
            || values[0] is not { Length: >= 8 and <= 64 } value
            || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
        )
            return Refusal;
        key = value;
        return null;
    }
}
