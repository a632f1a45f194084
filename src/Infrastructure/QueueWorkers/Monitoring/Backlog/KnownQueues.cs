using System.Collections.Frozen;
using Npgsql;
using QueueWorkers.Messaging;

namespace QueueWorkers.Monitoring.Backlog;

/// <summary>
/// The queues that deployments have made, read again once a minute: the others of the virtual host are nobody's here,
/// and there may be any number of them.
/// </summary>
public sealed class KnownQueues(NpgsqlDataSource database, TimeProvider time)
{
    // Those of retired steps too: messages may stand in them.
    private const string Names = """
        select step || suffix from step_catalogue cross join unnest(array['', '_error', '_skipped']) as s(suffix)
        union select queue from subscriptions
        union select $1
        """;

    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    private FrozenSet<string>? _names;
    private long _readAt;

    /// <summary>Their names.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlySet<string>> ReadAsync(CancellationToken cancellationToken)
    {
        if (_names is { } known && time.GetElapsedTime(_readAt) < Fresh)
            return known;
        await using var command = database.CreateCommand(Names);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = WellKnownQueues.Unrouted });
        var names = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            names.Add(reader.GetString(0));
        (_names, _readAt) = (names.ToFrozenSet(StringComparer.Ordinal), time.GetTimestamp());
        return _names;
    }
}
