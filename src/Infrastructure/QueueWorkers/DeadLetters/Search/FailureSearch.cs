using System.Data;
using Npgsql;
using QueueWorkers.Data;

namespace QueueWorkers.DeadLetters.Search;

/// <summary>
/// Finds failures: pages, groups and single ones. Pages follow the ids, which are in the order of time, so a page stays
/// what it was while others come and go.
/// </summary>
public sealed class FailureSearch(NpgsqlDataSource database, ISubjectDirectory subjects)
{
    /// <summary>
    /// Measured with a million failures: counting a thousand took up to 143 ms where two or three conditions meet; two
    /// hundred keep every filter below 50 (docs/performance.md).
    /// </summary>
    internal const int MostCounted = 200;

    /// <summary>
    /// How many of the newest are looked at before all: some milliseconds' worth, enough for a page of what one in a
    /// hundred has.
    /// </summary>
    private const int Newest = 5_000;

    // Of these statements no plan is kept: one for any value would read the newest million failures to find three old
    // ones of a rare cause. For the batch's own transaction only.
    private const string PlanForTheseValues = "select set_config('plan_cache_mode', 'force_custom_plan', true)";

    private const string Found =
        "f.id, f.state, f.kind, f.queue, f.step, f.message_type, f.subject_id, f.fault_type, f.fault_message, f.fingerprint, f.attempts, f.generation, f.first_at, f.last_at, f.build, f.host, f.redrive_id, f.note";

    private const string All =
        "f.identity, f.copies, f.message_id, f.stack, f.payload, f.body, f.content_type, f.headers, f.priority, f.removed_at, f.closed_at, f.restorable_until, f.edit";

    /// <summary>Reads a page.</summary>
    /// <param name="filter">Which ones.</param>
    /// <param name="after">The cursor of the page; null for the first.</param>
    /// <param name="limit">How many, 1–500.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidFilterException">The filter cannot be used.</exception>
    public async Task<FailurePage> PageAsync(
        FailureFilter filter,
        Guid? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var condition = await FilterSql.OfAsync(filter, subjects, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (counted, failures) = await ReadAsync(connection, condition, after, limit + 1, cancellationToken);
        var more = failures.Count > limit;
        if (more)
            failures.RemoveAt(limit);
        return new FailurePage(
            failures,
            more ? failures[^1].Id : null,
            (int)Math.Min(counted, MostCounted),
            counted > MostCounted
        );
    }

    /// <summary>Counts all that match.</summary>
    public async Task<long> CountAsync(FailureFilter filter, CancellationToken cancellationToken)
    {
        var condition = await FilterSql.OfAsync(filter, subjects, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = condition.Command(
            connection,
            $"select count(*) from failures f where {condition.Condition}"
        );
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The groups of those that match, the largest first, at most 500.</summary>
    public async Task<IReadOnlyList<FailureGroup>> GroupsAsync(
        FailureFilter filter,
        CancellationToken cancellationToken
    )
    {
        var condition = await FilterSql.OfAsync(filter, subjects, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = condition.Command(
            connection,
            $"""
            select g.fingerprint, n.step, n.fault_type, n.fault_message, g.count, g.subjects, g.first_at, g.last_at,
                n.id
            from (select f.fingerprint, count(*), count(distinct f.subject_id) as subjects, min(f.first_at) as first_at,
                max(f.last_at) as last_at, max(f.id::text)::uuid as newest
                  from failures f where {condition.Condition} group by f.fingerprint order by count(*) desc limit 500) g
            join failures n on n.id = g.newest order by g.count desc, g.fingerprint
            """
        );
        var groups = new List<FailureGroup>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            groups.Add(
                new FailureGroup(
                    reader.GetString("fingerprint"),
                    reader.OptionalText("step"),
                    reader.GetString("fault_type"),
                    reader.GetString("fault_message"),
                    reader.GetInt64("count"),
                    reader.GetInt64("subjects"),
                    reader.GetFieldValue<DateTimeOffset>("first_at"),
                    reader.GetFieldValue<DateTimeOffset>("last_at"),
                    reader.GetGuid("id")
                )
            );
        }

        return groups;
    }

    /// <summary>Reads one with everything that is known of it; null when there is none.</summary>
    public async Task<Failure?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Found}, {All} from failures f where f.id = $1");
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var found = Read(reader);
        return new Failure
        {
            Id = found.Id,
            State = found.State,
            Kind = found.Kind,
            Queue = found.Queue,
            Step = found.Step,
            MessageType = found.MessageType,
            SubjectId = found.SubjectId,
            FaultType = found.FaultType,
            FaultMessage = found.FaultMessage,
            Fingerprint = found.Fingerprint,
            Attempts = found.Attempts,
            Generation = found.Generation,
            FirstAt = found.FirstAt,
            LastAt = found.LastAt,
            Build = found.Build,
            Host = found.Host,
            RedriveId = found.RedriveId,
            Note = found.Note,
            Identity = reader.GetGuid("identity"),
            Copies = reader.GetInt32("copies"),
            MessageId = reader.GetGuid("message_id"),
            Stack = reader.OptionalText("stack"),
            Payload = reader.OptionalText("payload"),
            Body = reader.GetFieldValue<byte[]>("body"),
            ContentType = reader.GetString("content_type"),
            Headers = reader.GetString("headers"),
            Priority = reader.Optional<short>("priority"),
            RemovedAt = reader.Optional<DateTimeOffset>("removed_at"),
            ClosedAt = reader.Optional<DateTimeOffset>("closed_at"),
            RestorableUntil = reader.Optional<DateTimeOffset>("restorable_until"),
            Edit = reader.OptionalText("edit"),
        };
    }

    /// <summary>The failures of the same group and state that come next in the order of the pages.</summary>
    public async Task<SimilarFailures> SimilarAsync(Failure failure, CancellationToken cancellationToken)
    {
        const string similar = "from failures f where f.state = $1 and f.fingerprint = $2 and";
        await using var command = database.CreateCommand(
            $"""
            select (select f.id {similar} f.id > $3 order by f.id limit 1) as newer,
                (select f.id {similar} f.id < $3 order by f.id desc limit 1) as older
            """
        );
        command.Parameters.Add(new() { Value = (short)failure.State });
        command.Parameters.Add(new() { Value = failure.Fingerprint });
        command.Parameters.Add(new() { Value = failure.Id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new SimilarFailures(reader.Optional<Guid>("newer"), reader.Optional<Guid>("older"));
    }

    /// <summary>
    /// The dead-lettered failure of a message in a step, by the original message id; null when there is none.
    /// </summary>
    public async Task<Guid?> DeadLetteredAsync(Guid messageId, string step, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"select id from failures where message_id = $1 and step = $2 and state = {FailureState.Failed:D} order by id desc limit 1"
        );
        command.Parameters.Add(new() { Value = messageId });
        command.Parameters.Add(new() { Value = step });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    // Of values in payloads there are no statistics: the planner takes each for a rare one, gathers all that have it
    // and sorts them. That is right for rare ones; one that many have is among the newest: those are looked at first,
    // and the others only if they do not fill the page.
    private static async Task<(long Counted, List<FoundFailure> Failures)> ReadAsync(
        NpgsqlConnection connection,
        FilterSql condition,
        Guid? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new(PlanForTheseValues), condition.InBatch(CountOf(condition, MostCounted + 1)) },
        };
        if (after is { } cursor)
            condition.Add("f.id < {0}", cursor);
        batch.BatchCommands.Add(
            condition.InBatch(condition.PathCondition is null ? PageOf(condition, limit) : NewestOf(condition, limit))
        );
        long counted;
        var failures = new List<FoundFailure>();
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            await reader.NextResultAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            counted = reader.GetInt64(0);
            await reader.NextResultAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                failures.Add(Read(reader));
        }

        if (condition.PathCondition is null || failures.Count == limit)
            return (counted, failures);
        failures.Clear();
        await using var rest = condition.Command(connection, PageOf(condition, limit));
        await using var all = await rest.ExecuteReaderAsync(cancellationToken);
        while (await all.ReadAsync(cancellationToken))
            failures.Add(Read(all));
        return (counted, failures);
    }

    private static string NewestOf(FilterSql condition, int limit) =>
        $"select {Found} from (select * from failures f where {condition.WithoutPath} order by f.id desc limit {Newest}) f where {condition.PathCondition} order by f.id desc limit {limit}";

    /// <summary>The statement of a page. The limit is text: the planner then knows that few rows are meant.</summary>
    internal static string PageOf(FilterSql condition, int limit) =>
        $"select {Found} from failures f where {condition.Condition} order by f.id desc limit {limit}";

    // In the order of the page: the planner then reads the page's index from its end and stops early. Without it, it
    // gathered all that one of the conditions has first.
    internal static string CountOf(FilterSql condition, int most) =>
        $"select count(*) from (select from failures f where {condition.Condition} order by f.id desc limit {most}) counted";

    private static FoundFailure Read(NpgsqlDataReader r) =>
        new(
            r.GetGuid("id"),
            (FailureState)r.GetInt16("state"),
            (FailureKind)r.GetInt16("kind"),
            r.GetString("queue"),
            r.OptionalText("step"),
            r.OptionalText("message_type"),
            r.Optional<Guid>("subject_id"),
            r.GetString("fault_type"),
            r.GetString("fault_message"),
            r.GetString("fingerprint"),
            r.GetInt32("attempts"),
            r.GetInt32("generation"),
            r.GetFieldValue<DateTimeOffset>("first_at"),
            r.GetFieldValue<DateTimeOffset>("last_at"),
            r.OptionalText("build"),
            r.OptionalText("host"),
            r.Optional<Guid>("redrive_id"),
            r.OptionalText("note")
        );
}
