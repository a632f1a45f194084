using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Completeness;

/// <summary>The statements of <see cref="CompletenessJob"/>. Each works on a batch of subjects.</summary>
internal static class CompletenessQueries
{
    private const string TakeMark = """
        with fresh as (insert into completeness_marks (kind, mark, checked)
            values ($1, '00000000-0000-0000-0000-000000000000', 0) on conflict do nothing)
        select mark from completeness_marks where kind = $1 for update
        """;

    private const string MoveMark =
        "update completeness_marks set mark = $2, checked = checked + $3, at = now() where kind = $1";

    private const string TakeOpen =
        "select subject_id from completeness_open where check_at <= now() order by check_at limit $1 for update skip locked";

    private const string Later = """
        insert into completeness_open (subject_id, check_at) select * from unnest($1::uuid[], $2::timestamptz[])
            on conflict (subject_id) do update set check_at = excluded.check_at
        """;

    // Subjects with findings stay open and are looked at again; gaps that were not found any more are closed, and their
    // subjects with them.
    private const string Record = """
        with f as (select * from unnest($2::uuid[], $3::text[], $4::smallint[], $5::text[],
            $6::boolean[]) as t(subject_id, effect, kind, detail, silent)),
        kept as (
            insert into completeness_gaps (subject_id, effect, kind, detail, silent)
            select * from f order by subject_id, effect, kind
            on conflict (subject_id, effect, kind) do update set detail = excluded.detail, silent = excluded.silent,
                seen_at = now(), closed_at = null,
                found_at = case when completeness_gaps.closed_at is null then completeness_gaps.found_at else now() end
            returning subject_id, effect, kind, old.subject_id is null or old.closed_at is not null as is_new),
        closed as (
            update completeness_gaps g set closed_at = now()
            where g.subject_id = any($1) and g.closed_at is null
                and not exists (select from f where (f.subject_id, f.effect, f.kind) = (g.subject_id, g.effect,
                g.kind))),
        again as (
            insert into completeness_open (subject_id, check_at) select distinct subject_id, now() + $7::interval from f
            on conflict (subject_id) do update set check_at = excluded.check_at),
        complete as (
            delete from completeness_open o where o.subject_id = any($1)
                and not exists (select from f where f.subject_id = o.subject_id))
        select subject_id, effect, kind from kept where is_new
        """;

    private static readonly string Asked = $"""
        select subject_id, effect from completeness_gaps
        where closed_at is null and kind = {GapKind.Missing:D} and (reemit_asked_at is not null or ($1 and silent))
            and reemitted_at is null
        order by found_at limit $2 for update skip locked
        """;

    private const string Reemitted =
        "update completeness_gaps set reemitted_at = now(), reemit_result = $4 where subject_id = $1 and effect = $2 and kind = $3";

    public static async Task<Guid> TakeMarkAsync(
        NpgsqlConnection connection,
        string kind,
        CancellationToken cancellationToken
    )
    {
        // Twice when it is new: a row inserted by a statement is not seen by it.
        while (true)
        {
            await using var command = new NpgsqlCommand(TakeMark, connection);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
            if (await command.ExecuteScalarAsync(cancellationToken) is Guid mark)
                return mark;
        }
    }

    public static async Task MoveMarkAsync(
        NpgsqlConnection connection,
        string kind,
        Guid mark,
        int looked,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(MoveMark, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kind });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = mark });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = looked });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<Guid[]> TakeOpenAsync(
        NpgsqlConnection connection,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(TakeOpen, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var subjects = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
            subjects.Add(reader.GetGuid(0));
        return [.. subjects];
    }

    public static async Task LookLaterAsync(
        NpgsqlConnection connection,
        IReadOnlyList<AcceptedSubject> subjects,
        CancellationToken cancellationToken
    )
    {
        if (subjects.Count == 0)
            return;
        await using var command = new NpgsqlCommand(Later, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. subjects.Select(s => s.Id)] });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. subjects.Select(s => s.CheckAt)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Writes what was found about subjects; returns what was not known yet.</summary>
    public static async Task<IReadOnlyList<Finding>> RecordAsync(
        NpgsqlConnection connection,
        Guid[] subjects,
        IReadOnlyList<Finding> findings,
        TimeSpan recheck,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Record, connection);
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<Guid[]> { TypedValue = subjects });
        p.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. findings.Select(f => f.SubjectId)] });
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. findings.Select(f => f.Effect)] });
        p.Add(new NpgsqlParameter<short[]> { TypedValue = [.. findings.Select(f => (short)f.Kind)] });
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. findings.Select(f => f.Detail)] });
        p.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. findings.Select(f => f.Silent)] });
        p.Add(new NpgsqlParameter<TimeSpan> { TypedValue = recheck, NpgsqlDbType = NpgsqlDbType.Interval });
        var byKey = findings.ToDictionary(f => (f.SubjectId, f.Effect, f.Kind));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var fresh = new List<Finding>();
        while (await reader.ReadAsync(cancellationToken))
            fresh.Add(byKey[(reader.GetGuid(0), reader.GetString(1), (GapKind)reader.GetInt16(2))]);
        return fresh;
    }

    /// <summary>Locks missing effects whose message is to be emitted again.</summary>
    public static async Task<List<(Guid Subject, string Effect)>> TakeAskedAsync(
        NpgsqlConnection connection,
        bool also,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Asked, connection);
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = also });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var asked = new List<(Guid, string)>();
        while (await reader.ReadAsync(cancellationToken))
            asked.Add((reader.GetGuid(0), reader.GetString(1)));
        return asked;
    }

    public static async Task ReemittedAsync(
        NpgsqlConnection connection,
        Guid subject,
        string effect,
        string result,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Reemitted, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subject });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = effect });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)GapKind.Missing });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = result });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
