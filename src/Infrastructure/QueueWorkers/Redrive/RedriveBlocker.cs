using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace QueueWorkers.Redrive;

/// <summary>
/// What is known of a dead-lettered message's work, and why it is not sent again: the same answer in the dry run and
/// when it is sent.
/// </summary>
/// <param name="Done">Its work is done.</param>
/// <param name="Uncertain">Nobody knows whether its effect happened.</param>
/// <param name="Status">Where its step stands; null when that has no row.</param>
internal readonly record struct RedriveBlocker(bool Done, bool Uncertain, StepStatus? Status)
{
    /// <summary>The three as columns of a query on <c>failures f</c>.</summary>
    public static readonly string Columns = $"""
        {FailureTable.IsDone("f")} as is_done,
        exists (select from effects e where e.subject_id = f.subject_id and e.message_id = f.message_id
            and e.step = f.step and e.state = {EffectState.Uncertain:D}) as is_uncertain,
        (select s.status from step_runs s where s.subject_id = f.subject_id and s.step = f.step) as step_status
        """;

    /// <summary>Reads them.</summary>
    public static RedriveBlocker Read(NpgsqlDataReader reader) =>
        new(
            reader.GetBoolean("is_done"),
            reader.GetBoolean("is_uncertain"),
            (StepStatus?)reader.Optional<short>("step_status")
        );

    /// <summary>Why the message is not sent; null when nothing speaks against it.</summary>
    /// <param name="failure">The message.</param>
    /// <param name="subjects">Subjects on which work would be pointless, and why.</param>
    public string? Reason(Failure failure, IReadOnlyDictionary<Guid, string> subjects) =>
        Done ? "Its work was done already."
        : failure.State != FailureState.Failed ? $"It is not dead-lettered any more but {failure.State}."
        : failure.SubjectId is { } subject && subjects.TryGetValue(subject, out var reason) ? reason
        : Status is StepStatus.Cancelled or StepStatus.Expired or StepStatus.Skipped ? $"The step is {Status}."
        : Uncertain
            ? "Nobody knows whether its effect happened; settle that first (POST /api/effects/{subject}/{effect}/settle), or it would only be dead-lettered again."
        : null;
}
