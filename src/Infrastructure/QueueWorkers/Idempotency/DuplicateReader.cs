using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;

namespace QueueWorkers.Idempotency;

/// <summary>Reads the evidence of suppressed duplicates.</summary>
public sealed class DuplicateReader(NpgsqlDataSource database)
{
    private const int MostRows = 500;

    private const string List = """
        select d.id, d.at, d.subject_id, d.step, d.effect, d.message_id, d.cause, e.state as proof_state,
            e.message_id as proof_message_id, e.at as proof_at
        from duplicates d left join effects e on e.subject_id = d.subject_id and e.effect = d.effect
        where ($1::bigint is null or d.id < $1) and ($2::smallint is null or d.cause = $2)
            and ($3::text is null or d.step = $3) and ($4::uuid is null or d.subject_id = $4)
        order by d.id desc limit $5
        """;

    private const string Count = """
        select cause, step, sum(count)::bigint as count from duplicate_counts
            where minute >= date_trunc('minute', $1::timestamptz) group by 1, 2 order by 1, 2
        """;

    /// <summary>Suppressed duplicates, the newest first, each with the effect that proves that it ran once.</summary>
    /// <param name="before">Only those with a smaller number; null for the newest.</param>
    /// <param name="cause">Only of this cause.</param>
    /// <param name="step">Only of this step.</param>
    /// <param name="subject">Only about this subject.</param>
    /// <param name="limit">How many, 1–500.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<DuplicateView>> ListAsync(
        long? before,
        DuplicateCause? cause,
        string? step,
        Guid? subject,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(List);
        command.Parameters.Add(new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(
            new() { Value = cause is { } one ? (short)one : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Smallint }
        );
        command.Parameters.Add(new() { Value = (object?)step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)subject ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Math.Clamp(limit, 1, MostRows) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<DuplicateView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(
                new DuplicateView(
                    reader.GetInt64("id"),
                    reader.GetFieldValue<DateTimeOffset>("at"),
                    reader.GetGuid("subject_id"),
                    reader.GetString("step"),
                    reader.GetString("effect"),
                    reader.Optional<Guid>("message_id"),
                    (DuplicateCause)reader.GetInt16("cause"),
                    reader.IsDBNull("proof_state")
                        ? null
                        : new EffectProof(
                            (EffectState)reader.GetInt16("proof_state"),
                            reader.GetGuid("proof_message_id"),
                            reader.GetFieldValue<DateTimeOffset>("proof_at")
                        )
                )
            );
        }

        return rows;
    }

    /// <summary>
    /// How many duplicates were suppressed since a moment, by cause and step. Counts also those of which no evidence
    /// was kept.
    /// </summary>
    public async Task<IReadOnlyList<DuplicateTotal>> CountAsync(
        DateTimeOffset since,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Count);
        command.Parameters.Add(new() { Value = since.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var totals = new List<DuplicateTotal>();
        while (await reader.ReadAsync(cancellationToken))
            totals.Add(
                new DuplicateTotal(
                    (DuplicateCause)reader.GetInt16("cause"),
                    reader.GetString("step"),
                    reader.GetInt64("count")
                )
            );
        return totals;
    }
}

/// <summary>A suppressed duplicate.</summary>
/// <param name="Id">Running number.</param>
/// <param name="At">When it was dropped.</param>
/// <param name="SubjectId">What it was about.</param>
/// <param name="Step">Who dropped it.</param>
/// <param name="Effect">The effect it would have had again.</param>
/// <param name="MessageId">The message; null for a repeated post.</param>
/// <param name="Cause">Why it came.</param>
/// <param name="Proof">The effect's one row; null for a repeated post, whose proof is the stored subject
/// itself.</param>
public sealed record DuplicateView(
    long Id,
    DateTimeOffset At,
    Guid SubjectId,
    string Step,
    string Effect,
    Guid? MessageId,
    DuplicateCause Cause,
    EffectProof? Proof
);

/// <summary>
/// That an effect happened once: the table's key allows one row for a subject and an effect, for ever.
/// </summary>
/// <param name="State">Where it stands.</param>
/// <param name="MessageId">The message whose run made it.</param>
/// <param name="At">When.</param>
public sealed record EffectProof(EffectState State, Guid MessageId, DateTimeOffset At);

/// <summary>How many duplicates of a kind.</summary>
/// <param name="Cause">Why they came.</param>
/// <param name="Step">Who dropped them.</param>
/// <param name="Count">How many.</param>
public sealed record DuplicateTotal(DuplicateCause Cause, string Step, long Count);
