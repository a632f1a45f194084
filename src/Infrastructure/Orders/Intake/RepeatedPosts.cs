using QueueWorkers.Idempotency;

namespace Orders.Infrastructure.Intake;

/// <summary>Repeated posts among the suppressed duplicates.</summary>
internal static class RepeatedPosts
{
    private const string Door = "post-order";

    /// <summary>Notes that an order was posted again and answered with what it is.</summary>
    public static void AddRepeatedPost(this DuplicateEvidence duplicates, Guid order) =>
        duplicates.Add(order, Door, Door, null, DuplicateCause.RepeatedPost);
}
