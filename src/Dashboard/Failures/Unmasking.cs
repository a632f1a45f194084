using Orders.Dashboard.Auth;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.GroupCommit;
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

    /// <summary>Writes down that a patch tests what is masked: whether the test holds says what the value is.</summary>
    public static Task RecordTestAsync(
        AuditLog audit,
        Actor actor,
        string reason,
        CancellationToken cancellationToken
    ) =>
        audit.WriteAsync(
            actor.Did("reveal personal data", "failures, by a test in a patch", reason),
            cancellationToken
        );

    /// <summary>
    /// Writes down that somebody searched what is masked. Not for which value: the record is for ever, and everybody may
    /// read it.
    /// </summary>
    public static Task RecordSearchAsync(
        AuditLog audit,
        Actor actor,
        FailureFilter filter,
        string reason,
        CancellationToken cancellationToken
    )
    {
        string?[] by =
        [
            filter.Text is null ? null : "text",
            filter.Path is { } path ? $"path {StorableText.Of(path.Split('=')[0], 200)}" : null,
        ];
        return audit.WriteAsync(
            actor.Did("search personal data", $"failures by {string.Join(", ", by.OfType<string>())}", reason),
            cancellationToken
        );
    }
}
