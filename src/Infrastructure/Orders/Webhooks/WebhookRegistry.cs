using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Webhooks;

/// <summary>Registers, lists, changes and removes the web hooks of a client.</summary>
public sealed class WebhookRegistry(NpgsqlDataSource database, RelayFeed relay)
{
    /// <summary>The most web hooks of one client.</summary>
    public const int MostOfClient = 10;

    /// <summary>What a process needs that lets clients do this. It can write secrets and not read them.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "select (id, client_id, url, events, previous_until, created_at), insert, update, delete on webhooks",
        "select, insert on webhook_deliveries",
    ];

    private const int ClientLock = 0x57656268;

    private const string Columns = "id, url, events, created_at, previous_until";

    // A statement of its own: the next one, in the same transaction, then sees what others have committed.
    private static readonly string LockClient = $"select pg_advisory_xact_lock({ClientLock}, hashtext($1))";

    private const string Add = $"""
        insert into webhooks (id, client_id, url, events, secret)
        select $1, $2, $3, $4, $5 where (select count(*) from webhooks where client_id = $2) < $6
        on conflict (client_id, url) do nothing
        returning {Columns}
        """;

    private const string IsKnown = "select exists (select from webhooks where client_id = $1 and url = $2)";

    private const string List = $"select {Columns} from webhooks where client_id = $1 order by id";

    private const string Find = $"select {Columns} from webhooks where client_id = $1 and id = $2";

    private const string Delete = "delete from webhooks where client_id = $1 and id = $2";

    // The new secret signs at once, the old one (kept by a trigger) for a while: no receiver refuses a delivery
    // meanwhile. A rotation within that time keeps the same old one: the answer to the first may have been lost.
    private const string RotateSecret = $"""
        update webhooks set previous_until = now() + $4, secret = $3
        where client_id = $1 and id = $2 returning {Columns}
        """;

    private const string AddTest = $"""
        insert into webhook_deliveries (id, webhook_id, event, at)
        select uuidv7(), w.id, '{WebhookEvents.Test}', now() from webhooks w where w.client_id = $1 and w.id = $2
        returning id, at
        """;

    /// <summary>Registers a web hook.</summary>
    /// <param name="client">The client.</param>
    /// <param name="url">A valid address.</param>
    /// <param name="events">What it wants to be told of.</param>
    /// <param name="secret">The key that signs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The web hook; null when the client has one with this address, or too many.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there.</exception>
    public async Task<(RegisteredWebhook? Webhook, bool IsKnown)> AddAsync(
        string client,
        Uri url,
        IReadOnlyList<string> events,
        byte[] secret,
        CancellationToken cancellationToken
    )
    {
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await using (var turn = new NpgsqlCommand(LockClient, connection))
            {
                turn.Parameters.Add(new NpgsqlParameter<string> { TypedValue = client });
                Failpoint.Hit("webhook.before_lock", Outside.Database);
                await turn.ExecuteNonQueryAsync(cancellationToken);
            }

            await using var command = new NpgsqlCommand(Add, connection);
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = DatabaseClock.NewId() });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = client });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = url.AbsoluteUri });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. events] });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = secret });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostOfClient });
            var added = (await ReadAsync(command, cancellationToken)).FirstOrDefault();
            Failpoint.Hit("webhook.before_commit_add", Outside.Database);
            await transaction.CommitAsync(CancellationToken.None);
            Failpoint.Hit("webhook.after_commit_add", Outside.Database);
            if (added is not null)
                return (added, false);
        }

        await using var look = database.CreateCommand(IsKnown);
        look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = client });
        look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = url.AbsoluteUri });
        Failpoint.Hit("webhook.before_look", Outside.Database);
        return (null, (bool)(await look.ExecuteScalarAsync(cancellationToken))!);
    }

    /// <summary>The web hooks of a client, the oldest first.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<RegisteredWebhook>> ListAsync(string client, CancellationToken cancellationToken)
    {
        await using var command = Command(List, client, null);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>One of a client's web hooks; null when the client has none of this id.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<RegisteredWebhook?> FindAsync(string client, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command(Find, client, id);
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    /// <summary>Removes a web hook. What is under way to it ends as rejected; its log stays.</summary>
    /// <returns>False when the client has none of this id.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there.</exception>
    public async Task<bool> RemoveAsync(string client, Guid id, CancellationToken cancellationToken)
    {
        await using var command = Command(Delete, client, id);
        Failpoint.Hit("webhook.before_remove", Outside.Database);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>Gives a web hook a new secret; both are valid for a while.</summary>
    /// <param name="client">The client.</param>
    /// <param name="id">The web hook.</param>
    /// <param name="secret">The new secret.</param>
    /// <param name="keepFor">How long the old one signs as well.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The web hook; null when the client has none of this id.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there.</exception>
    public async Task<RegisteredWebhook?> RotateAsync(
        string client,
        Guid id,
        byte[] secret,
        TimeSpan keepFor,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(RotateSecret, client, id);
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = secret });
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = keepFor, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        return (await ReadAsync(command, cancellationToken)).FirstOrDefault();
    }

    /// <summary>Sends a test event: delivery and message are committed together.</summary>
    /// <returns>The delivery; null when the client has no web hook of this id.</returns>
    /// <exception cref="NpgsqlException">The database refused or was not there; asking again sends another.</exception>
    public async Task<Guid?> TestAsync(string client, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        OutboxMessage message;
        Guid delivery;
        await using (var command = new NpgsqlCommand(AddTest, connection))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = client });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            Failpoint.Hit("webhook.before_add_test", Outside.Database);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
                return null;
            delivery = reader.GetGuid("id");
            message = WebhookNotifier.MessageOf(delivery, reader.GetFieldValue<DateTimeOffset>("at"));
        }

        await OutboxWriter.InsertAsync(connection, [message], cancellationToken);
        Failpoint.Hit("webhook.before_commit_test", Outside.Database);
        await transaction.CommitAsync(CancellationToken.None);
        Failpoint.Hit("webhook.after_commit_test", Outside.Database);
        relay.Offer(message);
        return delivery;
    }

    private NpgsqlCommand Command(string sql, string client, Guid? id)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = client });
        if (id is { } webhook)
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = webhook });
        return command;
    }

    private static async Task<List<RegisteredWebhook>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        Failpoint.Hit("webhook.before_statement", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var webhooks = new List<RegisteredWebhook>();
        while (await reader.ReadAsync(cancellationToken))
            webhooks.Add(
                new RegisteredWebhook(
                    reader.GetGuid("id"),
                    new Uri(reader.GetString("url")),
                    reader.GetFieldValue<string[]>("events"),
                    reader.GetFieldValue<DateTimeOffset>("created_at"),
                    reader.IsDBNull("previous_until") ? null : reader.GetFieldValue<DateTimeOffset>("previous_until")
                )
            );
        return webhooks;
    }
}

/// <summary>A web hook as its client sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Its address.</param>
/// <param name="Events">What it is told of.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="PreviousUntil">Until when the secret before the last rotation signs as well; null before the first
/// one.</param>
public sealed record RegisteredWebhook(
    Guid Id,
    Uri Url,
    IReadOnlyList<string> Events,
    DateTimeOffset CreatedAt,
    DateTimeOffset? PreviousUntil
);
