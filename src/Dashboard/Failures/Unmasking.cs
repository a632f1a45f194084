using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Failures;

/// <summary>
/// That somebody sees what is personal in a message. Written down before it is shown: dying between the two leaves a
/// record of something that nobody saw, and never the other way round.
/// </summary>
internal static class Unmasking
{
    /// <summary>Writes it down.</summary>
    public static Task RecordAsync(
        AuditLog audit,
        Actor actor,
        Guid failure,
        string reason,
        CancellationToken cancellationToken
    ) => audit.WriteAsync(actor.Did("reveal personal data", $"failure {failure}", reason), cancellationToken);
}
