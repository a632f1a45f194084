using Npgsql;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Outbox;

/// <summary>Writes outbox rows, in a caller's transaction or by themselves.</summary>
public sealed class OutboxWriter(NpgsqlDataSource database, RelayFeed relay)
{
    private static readonly string Insert = OutboxColumns.Insert(first: 1);

    /// <summary>
    /// Inserts rows into the caller's transaction. After its commit offer them to <see cref="RelayFeed"/>, or they
    /// leave a lease later.
    /// </summary>
    public static async Task InsertAsync(
        NpgsqlConnection connection,
        IReadOnlyList<OutboxMessage> messages,
        CancellationToken cancellationToken = default
    )
    {
        if (messages.Count == 0)
            return;

        await using var command = new NpgsqlCommand(Insert, connection);
        OutboxColumns.AddTo(command.Parameters, messages);
        Failpoint.Hit("outbox.before_insert", Outside.Database);
        await command.ExecuteNonQueryAsync(cancellationToken);
        Failpoint.Hit("outbox.after_insert", Outside.Database);
    }

    /// <summary>Inserts a row and commits it.</summary>
    public async Task InsertAsync(OutboxMessage message, CancellationToken cancellationToken)
    {
        Failpoint.Hit("outbox.before_open", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await InsertAsync(connection, [message], cancellationToken);
        relay.Offer(message);
    }

    /// <summary>Inserts rows and commits them together.</summary>
    public async Task InsertAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await InsertAsync(connection, messages, cancellationToken);
        foreach (var message in messages)
            relay.Offer(message);
    }
}
