using QueueWorkers.Idempotency;

namespace QueueWorkers.Steps.Runs;

/// <summary>Statements on <c>step_runs</c> that several parts of the framework run.</summary>
internal static class StepRunSql
{
    // A run that does not count as its step (an apology) only clears what its own failures left behind: the step is
    // done again if its own effect is.
    // One that undoes runs for a cancelled subject: what was not done then is cancelled.
    public static readonly string Settle = $"""
        update step_runs r set secondary_failed = false,
            status = case when r.status not in ({StepStatus.Retrying:D}, {StepStatus.Failed:D},
                {StepStatus.Uncertain:D}) then r.status when t.done then {StepStatus.Done:D}
                when t.undoes then {StepStatus.Cancelled:D} else r.status end,
            next_attempt_at = case when r.status in ({StepStatus.Retrying:D}, {StepStatus.Failed:D},
                {StepStatus.Uncertain:D}) and (t.done or t.undoes) then null else r.next_attempt_at end,
            finished_at = case when r.status in ({StepStatus.Retrying:D}, {StepStatus.Failed:D},
                {StepStatus.Uncertain:D}) and (t.done or t.undoes) then now() else r.finished_at end
        from (select distinct t.*, exists (select from effects e
            where e.subject_id = t.subject_id and e.effect = t.step and e.state = {EffectState.Done:D}) as done
              from unnest($1::uuid[], $2::text[], $3::boolean[]) as t(subject_id, step, undoes)) t
        where r.subject_id = t.subject_id and r.step = t.step
            and (r.secondary_failed or (r.status in ({StepStatus.Retrying:D}, {StepStatus.Failed:D},
            {StepStatus.Uncertain:D}) and (t.done or t.undoes)))
        """;
}
