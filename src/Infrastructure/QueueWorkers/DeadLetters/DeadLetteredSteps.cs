using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// Statements on the status of steps with several messages for one subject, such as a confirmation and an apology.
/// The rule: a step is failed while one of its messages stands in its dead-letter queue and the work of that message is
/// not done. When none stands, the step has the status that its own effect brought it to (<c>own_status</c>; null: the
/// status itself).
/// </summary>
public static class DeadLetteredSteps
{
    // Statuses that a later success of the step's own effect, or its undoing, changes.
    private static readonly string Unsettled =
        $"({StepStatus.Waiting:D}, {StepStatus.Retrying:D}, {StepStatus.Failed:D}, {StepStatus.Uncertain:D})";

    private static readonly string Unended =
        $"({StepStatus.Waiting:D}, {StepStatus.Running:D}, {StepStatus.Retrying:D})";

    // The step's own status, of a row r and what is known of it in t. A run that undoes runs for a cancelled subject:
    // what was not done then is cancelled.
    private static readonly string Own = $"""
        case when coalesce(r.own_status, r.status) not in {Unsettled} then coalesce(r.own_status, r.status)
            when t.done then {StepStatus.Done:D} when t.undoes then {StepStatus.Cancelled:D}
            else coalesce(r.own_status, r.status) end
        """;

    /// <summary>
    /// Locks steps' rows in the order of all who write several of them: $1 subjects, $2 steps. A statement of its own,
    /// before the one that reads what stands: that one then sees what was committed by whoever held the rows.
    /// </summary>
    internal const string Lock = """
        select from step_runs s join unnest($1::uuid[], $2::text[]) as t(subject_id, step) using (subject_id, step)
            order by s.subject_id, s.step for no key update of s
        """;

    /// <summary>
    /// After a run that is not the step's own (an apology, an undoing), or one that was dropped because another message
    /// has done its effect: $1 subjects, $2 steps, $3 whether it undoes, $4 effects. An effect that is not done changes
    /// nothing. <see cref="Lock"/> comes first.
    /// </summary>
    internal static readonly string Settle = $"""
        update step_runs r set
            status = case when not t.failing then {Own}
                when {Own} = {StepStatus.Uncertain:D} then {StepStatus.Uncertain:D} else {StepStatus.Failed:D} end,
            own_status = case when t.failing then {Own} end,
            next_attempt_at = case when not t.failing and {Own} in {Unended} then r.next_attempt_at end,
            finished_at = case when t.failing then r.finished_at when {Own} in {Unended} then null
                when r.status in {Unsettled} then now() else r.finished_at end
        from (select distinct u.subject_id, u.step,
                bool_or(u.undoes) over (partition by u.subject_id, u.step) as undoes,
                exists (select from effects e where e.subject_id = u.subject_id and e.effect = u.step
                    and e.state = {EffectState.Done:D}) as done, {Standing("u.subject_id", "u.step")} as failing
            from unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[]) as u(subject_id, step, undoes, effect)
            where exists (select from effects e where e.subject_id = u.subject_id and e.effect = u.effect
                and e.state = {EffectState.Done:D})) t
        where r.subject_id = t.subject_id and r.step = t.step
            and (t.failing or r.own_status is not null or (r.status in {Unsettled} and (t.done or t.undoes)))
        """;

    /// <summary>
    /// Whether a message of a step stands in its dead-letter queue for a subject, as an SQL condition. Not: a message
    /// whose work is done, and one that stood there when the subject was cancelled.
    /// </summary>
    /// <param name="subject">The subject's id, as SQL.</param>
    /// <param name="step">The step's name, as SQL.</param>
    public static string Standing(string subject, string step) =>
        $"""
            exists (select from failures f where f.subject_id = {subject} and f.step = {step}
                and f.state = {FailureState.Failed:D} and f.kind = {FailureKind.Error:D}
                and not {FailureTable.IsDone("f")}
                and not exists (select from cancelled_subjects c where c.subject_id = f.subject_id
                    and c.at >= f.last_at))
            """;
}
