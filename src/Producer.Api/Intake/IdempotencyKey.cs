using Orders.Producer.Api.Problems;
using QueueWorkers.Hosting.Borders;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// The <c>Idempotency-Key</c>: with it, an order may be posted again whenever the answer got lost. See
/// <see cref="IdempotencyKeyHeader"/>.
/// </summary>
internal static class IdempotencyKey
{
    /// <summary>The header's name.</summary>
    public const string Header = IdempotencyKeyHeader.Name;

    /// <summary>Set on the answer when the order had been made by an earlier request.</summary>
    public const string ReplayedHeader = IdempotencyKeyHeader.Replayed;

    private static readonly Problem Refusal = new(ProblemKinds.InvalidIdempotencyKey, IdempotencyKeyHeader.Expected);

    /// <summary>Reads the header.</summary>
    /// <param name="request">The request.</param>
    /// <param name="key">The key; null when there is none.</param>
    /// <returns>The refusal when the header is there and cannot be used.</returns>
    public static Problem? TryRead(HttpRequest request, out string? key) =>
        IdempotencyKeyHeader.TryRead(request.Headers, out key) ? null : Refusal;

    /// <summary>The refusal of a key that cannot be used; null when it can.</summary>
    public static Problem? FaultIn(string key) => IdempotencyKeyHeader.IsUsable(key) ? null : Refusal;
}
