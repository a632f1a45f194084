using System.Data;
using System.Text.Json;
using Npgsql;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Redrive;

namespace QueueWorkers.Bulk;

/// <summary>
/// Archives failures, by <see cref="FailureArchive"/>. Who was chosen by the filter still fits while it is
/// failed and has not failed anew.
/// </summary>
public sealed class ArchiveFailures(FailureArchive archive, ISubjectDirectory subjects, FailureOptions options)
    : IBulkKind
{
    /// <summary>The name of the kind.</summary>
    public const string KindName = "archive-failures";

    /// <inheritdoc />
    public string Name => KindName;

    /// <inheritdoc />
    public int Portion => 500;

    /// <inheritdoc />
    public int PerSecond => BulkRequest.MostPerSecond;

    /// <summary>The text of a filter, as a request carries it.</summary>
    public static string FilterOf(FailureFilter filter) =>
        JsonSerializer.Serialize(filter with { State = null }, FilterJson.Options);

    /// <inheritdoc />
    public async Task<BulkSelection> SelectAsync(BulkRequest request, CancellationToken cancellationToken)
    {
        var filter = Parse(request.Filter) with { State = null };
        if (filter.IsEmpty)
            throw new InvalidFilterException(
                "An empty filter would archive everything that is dead-lettered; say which ones."
            );
        if (request.Step is not null)
            throw new BulkRefusedException("invalid-step", "Archiving failures takes no step; put it into the filter.");
        var condition = await FilterSql.OfAsync(filter, subjects, cancellationToken);
        return new BulkSelection(
            FilterOf(filter),
            (connection, id, token) => ChooseAsync(connection, id, condition, token)
        );
    }

    /// <inheritdoc />
    public async Task<BulkPortion> DoAsync(
        NpgsqlConnection connection,
        BulkAction action,
        IReadOnlyList<Guid> targets,
        CancellationToken cancellationToken
    )
    {
        var archived = await archive.MarkAsync(
            connection,
            targets,
            action.CreatedAt,
            $"Archived by {action.ConfirmedBy}: {action.Reason}",
            cancellationToken
        );
        var settled = archived.Select(id => new BulkSettled(id, BulkItemState.Done)).ToList();
        await using var command = new NpgsqlCommand(
            """
            select id, state, last_at > $3 as anew from failures where id = any($1) and not (id = any($2)) order by id
            """,
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. targets] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. archived] });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = action.CreatedAt });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (id, state) = (reader.GetGuid("id"), (FailureState)reader.GetInt16("state"));
            settled.Add(
                state != FailureState.Failed
                    ? new(id, BulkItemState.Skipped, $"It is not failed any more; its state is {state}.")
                : reader.GetBoolean("anew") ? new(id, BulkItemState.Skipped, "It has failed anew since the rehearsal.")
                : new(id, BulkItemState.Refused, "It is in a redrive that is not done.")
            );
        }

        return new BulkPortion(settled, []);
    }

    private async Task<BulkRehearsal> ChooseAsync(
        NpgsqlConnection connection,
        Guid id,
        FilterSql condition,
        CancellationToken cancellationToken
    )
    {
        await using var command = condition.Command(
            connection,
            $"""
            with matched as materialized (
                select f.id, not ({FailureArchive.NotInRedrive}) as in_redrive from failures f
                where {condition.Condition} order by f.id limit {BulkRequest.MostTargets + 1}),
            chosen as (
                insert into bulk_items (bulk_action_id, target_id, state)
                select ${condition.Next}, m.id, {BulkItemState.Waiting:D} from matched m where not m.in_redrive
                order by m.id)
            select count(*) as matched, count(*) filter (where in_redrive) as in_redrive from matched
            """,
            id
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var inRedrive = reader.GetInt64("in_redrive");
        return new BulkRehearsal(
            reader.GetInt64("matched"),
            inRedrive == 0 ? [] : [new BulkUntouched("in a redrive that is not done", inRedrive)],
            [
                $"The messages are taken out of their dead-letter queues. For {options.RestorableFor.TotalDays:0.#} days each can be restored on its page.",
                "The steps are not done, and nobody outside is told anything.",
            ]
        );
    }

    private static FailureFilter Parse(string filter)
    {
        try
        {
            return JsonSerializer.Deserialize<FailureFilter>(filter, FilterJson.Options) ?? new FailureFilter();
        }
        catch (JsonException problem)
        {
            throw new InvalidFilterException(problem.Message);
        }
    }
}
