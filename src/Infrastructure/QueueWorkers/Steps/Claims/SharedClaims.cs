using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;

namespace QueueWorkers.Steps.Claims;

/// <summary>A claim that is wanted.</summary>
internal sealed record WantedClaim(
    Guid SubjectId,
    string Effect,
    Guid MessageId,
    string Step,
    TimeSpan Lease,
    string? Reference,
    bool IsPrimary
);

/// <summary>
/// What the effect's row says: ours now, perhaps taken over from a dead run, or another's. The end of the lease is also
/// the claim's token.
/// </summary>
internal sealed record ClaimAnswer(bool IsOurs, bool IsTakenOver, EffectState State, DateTimeOffset? LeaseUntil);

/// <summary>
/// Begins effects, many in one commit: a mail's claim is a wait for the disk of its own before anything is sent, and as
/// one commit each they were the most of what the database did for it.
/// Dying before the commit leaves nothing; after it, pending rows whose leases end (<see cref="EffectClaims"/>). The
/// result is null when the row appeared while we looked.
/// </summary>
internal sealed class SharedClaims(NpgsqlDataSource database) : GroupCommitter<WantedClaim, ClaimAnswer?>
{
    // The conflict branch takes over a pending row whose lease has ended, or begins anew what an operator has found not
    // done, and leaves all others as they are; "claimed" tells the three outcomes apart: inserted, taken over, not
    // ours. Rows are locked in the committer's order.
    // A step stays failed while another message of it stands in the dead-letter queue.
    private static readonly string Claim = $"""
        with wanted as (
            select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::interval[], $6::text[],
                $7::boolean[]) as t(subject_id, effect, message_id, step, lease, reference, counts)),
        claimed as (
            insert into effects (subject_id, effect, message_id, step, state, lease_until, reference)
            select subject_id, effect, message_id, step, {EffectState.Pending:D}, now() + lease, reference from wanted
                order by subject_id, effect
            on conflict (subject_id, effect) do update set message_id = excluded.message_id,
                state = {EffectState.Pending:D}, lease_until = excluded.lease_until,
                at = case when effects.state = {EffectState.Pending:D} then effects.at else now() end
                where effects.state = {EffectState.Pending:D} and effects.lease_until <= now()
                    or effects.state = {EffectState.DidNotHappen:D}
            returning subject_id, effect, old.effect is not null and old.state = {EffectState.Pending:D} as taken_over,
                lease_until),
        running as (
            insert into step_runs (subject_id, step, status, attempts, started_at, attempt_started_at)
            select distinct w.subject_id, w.step, {StepStatus.Running:D}, 0, now(), now() from wanted w
                join claimed using (subject_id, effect) where w.counts order by w.subject_id, w.step
            on conflict (subject_id, step) do update set next_attempt_at = null,
                attempt_started_at = excluded.attempt_started_at,
                status = case when step_runs.own_status is not null and step_runs.status = {StepStatus.Failed:D}
                    then step_runs.status else {StepStatus.Running:D} end)
        select c.subject_id, c.effect, true, c.taken_over, 1::smallint, c.lease_until from claimed c
        union all
        select e.subject_id, e.effect, false, false, e.state, e.lease_until from wanted w
            join effects e using (subject_id, effect)
        where not exists (select from claimed c where c.subject_id = w.subject_id and c.effect = w.effect)
        """;

    /// <inheritdoc />
    protected override string SpanName => "claim effect";

    /// <inheritdoc />
    protected override bool IsUnitFault(Exception exception) => DatabaseFault.IsUnitFault(exception);

    /// <inheritdoc />
    protected override async Task<ClaimAnswer?[]> WriteAsync(IReadOnlyList<WantedClaim> units)
    {
        // Two for one effect in one batch are twins: only the first is asked for.
        var first = new Dictionary<(Guid, string), WantedClaim>(units.Count);
        foreach (var unit in units)
            first.TryAdd(KeyOf(unit), unit);

        var answers = new Dictionary<(Guid, string), ClaimAnswer>(first.Count);
        // One batch is one transaction.
        await using (var batch = database.CreateBatch())
        {
            if (WaitsBriefly)
                batch.BatchCommands.Add(LockWait.Briefly());
            batch.BatchCommands.Add(CommandOf([.. first.Values]));
            Failpoint.Hit("steps.before_claim", Outside.Database);
            await using var reader = await batch.ExecuteReaderAsync();
            if (WaitsBriefly)
                await reader.NextResultAsync();
            while (await reader.ReadAsync())
            {
                answers.Add(
                    (reader.GetGuid(0), reader.GetString(1)),
                    new ClaimAnswer(
                        reader.GetBoolean(2),
                        reader.GetBoolean(3),
                        (EffectState)reader.GetInt16(4),
                        reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5)
                    )
                );
            }

            // The end of the statement is its commit: an error there must reach the callers, or a mail would go out
            // under a claim that nobody can find.
            await reader.CloseAsync();
        }

        Failpoint.Hit("steps.after_claim", Outside.Database);
        return
        [
            .. units.Select(unit =>
                AnswerOf(
                    unit,
                    isFirst: ReferenceEquals(first[KeyOf(unit)], unit),
                    answers.GetValueOrDefault(KeyOf(unit))
                )
            ),
        ];
    }

    private static (Guid SubjectId, string Effect) KeyOf(WantedClaim unit) => (unit.SubjectId, unit.Effect);

    // What the first of twins has begun is another's for the others.
    private static ClaimAnswer? AnswerOf(WantedClaim unit, bool isFirst, ClaimAnswer? answer) =>
        answer is { IsOurs: true } && !isFirst
            ? new ClaimAnswer(false, false, EffectState.Pending, DatabaseClock.UtcNow + unit.Lease)
            : answer;

    private static NpgsqlBatchCommand CommandOf(WantedClaim[] wanted)
    {
        var command = new NpgsqlBatchCommand(Claim);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. wanted.Select(w => w.SubjectId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(w => w.Effect)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. wanted.Select(w => w.MessageId)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(w => w.Step)] });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = [.. wanted.Select(w => w.Lease)] });
        command.Parameters.Add(new NpgsqlParameter<string?[]> { TypedValue = [.. wanted.Select(w => w.Reference)] });
        // A secondary effect leaves the step's own row alone: nothing would ever turn Running back.
        command.Parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. wanted.Select(w => w.IsPrimary)] });
        return command;
    }
}
