using System.Data;
using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Operators;
using QueueWorkers.PersonalData;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Erasing;

/// <summary>
/// Begins erasures and shows them. An erasure begins in one transaction that lists what has to be erased, by ids, and
/// forgets the person; from then on <see cref="ErasureRunner"/> needs nobody's address to go on, whoever dies.
/// </summary>
public sealed class Erasures(
    NpgsqlDataSource database,
    ISubjectEraser eraser,
    FailureReconciler reconciler,
    QueuePresence presence,
    PersonalDataHash hash
)
{
    /// <summary>The longest name of a person that is looked for.</summary>
    public const int LongestPerson = 254;

    private const string Purpose = "erased person";
    private const int ItemsAtOnce = 10_000;
    private const int MostObstacles = 5;

    private const string Columns =
        "id, person_hash, requested_by, reason, requested_at, total, done, finished_at, waiting_for";

    // A list of items is written at once: a hundred thousand take a second or two.
    private static readonly int Patience = (int)TimeSpan.FromMinutes(5).TotalSeconds;

    /// <summary>The columns that may hold something about a person, the framework's and the application's.</summary>
    public IReadOnlyList<string> PersonalColumns => [.. ErasureSql.Columns, .. eraser.Columns];

    /// <summary>How a person is called in records that must not name one.</summary>
    public string NameOf(string person) => Convert.ToHexStringLower(HashOf(eraser.Normalise(person)));

    /// <summary>Says what an erasure would touch. Changes nothing.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<ErasurePlan> PlanAsync(string person, CancellationToken cancellationToken)
    {
        var normal = eraser.Normalise(person);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var found = await FindAsync(connection, normal, null, cancellationToken);
        return await PlanOfAsync(connection, normal, found, null, cancellationToken);
    }

    /// <summary>Begins an erasure.</summary>
    /// <param name="person">Whose data.</param>
    /// <param name="expect">The number that the operator has confirmed; null for whatever there is.</param>
    /// <param name="record">Who asks and why; it must not name the person.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="before">Only what was begun before this moment.</param>
    /// <exception cref="NpgsqlException">The database cannot be reached; asking again finds out.</exception>
    /// <exception cref="RabbitMQClientException">The broker cannot be reached.</exception>
    public async Task<ErasureAnswer> BeginAsync(
        string person,
        long? expect,
        AuditEntry record,
        CancellationToken cancellationToken,
        DateTimeOffset? before = null
    )
    {
        var normal = eraser.Normalise(person);
        // What stands in a queue is found by its row, so every message has to have one.
        if (await UnindexedAsync(cancellationToken) is { } why)
            return new ErasureAnswer(null, new ErasureRefusal("queue-not-indexed", why));
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // First the row, then the look: the row waits for an erasure of the same person that begins or ends meanwhile, so
        // the look sees all that it has done. A refusal takes the row back.
        var id = DatabaseClock.NewId();
        if (!await ReserveAsync(connection, id, normal, record, before, cancellationToken))
            return new ErasureAnswer(null, new ErasureRefusal("under-way", "This erasure is under way already."));
        var found = await FindAsync(connection, normal, before, cancellationToken);
        var plan = await PlanOfAsync(connection, normal, found, id, cancellationToken);
        if (Refusal(plan, expect) is { } refusal)
            return new ErasureAnswer(null, refusal);

        await eraser.PrepareAsync(connection, found.Own.Subjects, cancellationToken);
        await using (var forget = Command(connection, ErasureSql.ForgetRedrives, normal, PatternOf(normal)))
            await forget.ExecuteNonQueryAsync(cancellationToken);
        var total = (long)found.Own.Subjects.Count + found.Others.Count;
        await using (var count = Command(connection, "update erasures set total = $2 where id = $1", id, total))
            await count.ExecuteNonQueryAsync(cancellationToken);
        await AddItemsAsync(connection, id, ErasureItemKind.Subject, found.Own.Subjects, cancellationToken);
        await AddItemsAsync(connection, id, ErasureItemKind.Failure, found.Others, cancellationToken);
        await AuditLog.WriteAsync(
            connection,
            new AuditEntry
            {
                Who = record.Who,
                Role = record.Role,
                Action = record.Action,
                Target = $"person {Convert.ToHexStringLower(HashOf(normal))}",
                Reason = record.Reason,
                Count = plan.Main,
                Result = $"erasure {id}",
            },
            cancellationToken
        );
        await transaction.CommitAsync(CancellationToken.None);
        await connection.CloseAsync();
        return new ErasureAnswer(await FindAsync(id, cancellationToken), null);
    }

    /// <summary>
    /// Begins again what a restored backup has brought back: the erasures of a list, for whoever's hash is on it.
    /// Persons are found by making the hash of everybody there is.
    /// </summary>
    /// <returns>An answer for each person that was found.</returns>
    public async Task<IReadOnlyList<ErasureAnswer>> RepeatAsync(
        IReadOnlyList<ErasedPerson> list,
        AuditEntry record,
        CancellationToken cancellationToken
    )
    {
        var latest = list.GroupBy(p => p.Person, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => g.Max(p => p.RequestedAt), StringComparer.OrdinalIgnoreCase);
        var again = new List<(string Person, DateTimeOffset Before)>();
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            await foreach (var person in eraser.PersonsAsync(connection, cancellationToken))
            {
                var data = Encoding.UTF8.GetBytes(person);
                foreach (var value in hash.EarlierOf(Purpose, data).Prepend(hash.Of(Purpose, data)))
                {
                    if (!latest.TryGetValue(Convert.ToHexStringLower(value), out var before))
                        continue;
                    again.Add((person, before));
                    break;
                }
            }
        }

        var answers = new List<ErasureAnswer>();
        foreach (var (person, before) in again)
        {
            var answer = await BeginAsync(person, null, record, cancellationToken, before);
            // Whoever has only newer orders has nothing to erase.
            if (answer.Refusal is not { Code: "nothing-found" })
                answers.Add(answer);
        }

        return answers;
    }

    /// <summary>One erasure; null when there is none.</summary>
    public async Task<Erasure?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from erasures where id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    /// <summary>All erasures, the newest first: the list that <see cref="RepeatAsync"/> takes after a restore.</summary>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="most">How many; null for all.</param>
    public async Task<IReadOnlyList<Erasure>> ListAsync(CancellationToken cancellationToken, int? most = null)
    {
        await using var command = database.CreateCommand($"select {Columns} from erasures order by id desc limit $1");
        command.Parameters.Add(new() { Value = (object?)most ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        return await ReadAsync(command, cancellationToken);
    }

    // False when another erasure of the person is under way.
    private async Task<bool> ReserveAsync(
        NpgsqlConnection connection,
        Guid id,
        string person,
        AuditEntry record,
        DateTimeOffset? before,
        CancellationToken cancellationToken
    )
    {
        await using var insert = Command(
            connection,
            """
            insert into erasures (id, person_hash, requested_by, reason, requested_at, total, done)
                values ($1, $2, $3, $4, coalesce($5, now()), 0, 0)
                on conflict (person_hash) where finished_at is null do nothing
            """,
            id,
            HashOf(person),
            record.Who,
            record.Reason ?? ""
        );
        insert.Parameters.Add(
            new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        return await insert.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    private static ErasureRefusal? Refusal(ErasurePlan plan, long? expect) =>
        plan.Main == 0 && plan.Counts.Values.Sum() == 0
            ? new ErasureRefusal(
                "nothing-found",
                plan.ErasedAt is { } at
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"There is nothing about this person any more; it was erased at {at:yyyy-MM-dd HH:mm:ss}Z."
                    )
                    : "There is nothing about this person."
            )
        : plan.Obstacles.Count > 0 ? new ErasureRefusal("not-now", string.Join(' ', plan.Obstacles))
        : expect is { } expected && expected != plan.Main
            ? new ErasureRefusal("count-changed", $"There are {plan.Main} now, not {expected}; look again.")
        : null;

    private async Task<Found> FindAsync(
        NpgsqlConnection connection,
        string person,
        DateTimeOffset? before,
        CancellationToken cancellationToken
    )
    {
        var own = await eraser.FindAsync(connection, person, before, cancellationToken);
        var (others, failures, obstacles) = (new List<Guid>(), 0L, new List<string>());
        await using (var redrives = Command(connection, ErasureSql.UnfinishedRedrives, person, PatternOf(person)))
        {
            await using var unfinished = await redrives.ExecuteReaderAsync(cancellationToken);
            while (obstacles.Count < MostObstacles && await unfinished.ReadAsync(cancellationToken))
                obstacles.Add($"Redrive {unfinished.GetGuid("id")} quotes the person: wait for its end or cancel it.");
        }

        await using var command = Command(
            connection,
            ErasureSql.Failures,
            person,
            own.Subjects.ToArray(),
            PatternOf(person)
        );
        command.Parameters.Add(
            new() { Value = (object?)before ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            failures++;
            var (id, isOwn) = (reader.GetGuid("id"), reader.GetBoolean("own"));
            if (!isOwn)
                others.Add(id);
            if (obstacles.Count == MostObstacles)
                continue;
            if (reader.GetBoolean("sending"))
                obstacles.Add($"Failure {id} is being redriven: wait for its end.");
            else if (!isOwn && reader.GetBoolean("waiting"))
                obstacles.Add(
                    $"Failure {id} quotes the person and belongs to {reader.Optional<Guid>("subject_id")}: redrive or archive it first."
                );
        }

        return new Found(own, others, failures, obstacles);
    }

    private async Task<ErasurePlan> PlanOfAsync(
        NpgsqlConnection connection,
        string person,
        Found found,
        Guid? except,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            "select max(requested_at) as erased_at from erasures where person_hash = $1 and id is distinct from $2",
            HashOf(person)
        );
        command.Parameters.Add(new() { Value = (object?)except ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ErasurePlan(
            Convert.ToHexStringLower(HashOf(person)),
            found.Own.Main,
            new Dictionary<string, long>(found.Own.Counts) { ["failures"] = found.Failures },
            [.. found.Own.Obstacles, .. found.Obstacles],
            reader.Optional<DateTimeOffset>("erased_at")
        );
    }

    // A sentence on a queue that cannot be looked through; null when all were. Each look also writes rows for messages
    // that have none.
    private async Task<string?> UnindexedAsync(CancellationToken cancellationToken)
    {
        foreach (var queue in await DeadLetterQueues.ReadAsync(database, cancellationToken))
        {
            try
            {
                switch (await LookAsync(queue, cancellationToken))
                {
                    case null:
                        return $"Queue {queue} is being looked through by another process; try again.";
                    case { Complete: false }:
                        return UnreadableQueue.TooLong(queue);
                }
            }
            catch (OperationInterruptedException gone) when (gone.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                // A queue that is not there holds nothing.
            }
            catch (OperationInterruptedException refused) when (UnreadableQueue.IsRefused(refused))
            {
                if (!await presence.IsGoneAsync(queue, cancellationToken))
                    return UnreadableQueue.Refused(queue, refused);
            }
        }

        return null;
    }

    // The index looks through a queue for moments only: one that is being looked through is free soon.
    private async Task<ReconcileResult?> LookAsync(string queue, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < 50; tries++)
        {
            if (await reconciler.LookAsync(queue, cancellationToken) is { } result)
                return result;
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }

        return null;
    }

    private static async Task AddItemsAsync(
        NpgsqlConnection connection,
        Guid erasure,
        ErasureItemKind kind,
        IReadOnlyCollection<Guid> ids,
        CancellationToken cancellationToken
    )
    {
        foreach (var some in ids.Chunk(ItemsAtOnce))
        {
            await using var command = Command(
                connection,
                "insert into erasure_items (erasure_id, kind, id) select $1, $2, id from unnest($3) as t(id)",
                erasure,
                (short)kind,
                some
            );
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static async Task<List<Erasure>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var erasures = new List<Erasure>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            erasures.Add(
                new Erasure
                {
                    Id = reader.GetGuid("id"),
                    PersonHash = reader.GetFieldValue<byte[]>("person_hash"),
                    RequestedBy = reader.GetString("requested_by"),
                    Reason = reader.GetString("reason"),
                    RequestedAt = reader.GetFieldValue<DateTimeOffset>("requested_at"),
                    Total = reader.GetInt64("total"),
                    Done = reader.GetInt64("done"),
                    FinishedAt = reader.Optional<DateTimeOffset>("finished_at"),
                    WaitingFor = reader.OptionalText("waiting_for"),
                }
            );
        return erasures;
    }

    private byte[] HashOf(string normal) => hash.Of(Purpose, normal);

    private static object PatternOf(string person) => (object?)ErasureSql.PatternOf(person) ?? DBNull.Value;

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = Patience };
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }

    private sealed record Found(PersonalSubjects Own, List<Guid> Others, long Failures, List<string> Obstacles);
}
