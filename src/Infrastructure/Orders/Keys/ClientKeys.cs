using System.Data;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators.Accounts;
using QueueWorkers.Operators.Keys;

namespace Orders.Infrastructure.Keys;

/// <summary>
/// The keys of API clients: lists, makes, rotates and revokes them for an admin. The API notices within 5 s.
/// </summary>
public sealed partial class ClientKeys(NpgsqlDataSource database) : ChangingKeys(database, "api_key")
{
    private readonly NpgsqlDataSource _database = database;

    private const string List = """
        select id, client_id, hint, scopes, created_at, expires_at, revoked_at, replaced_by from api_keys
            where $1::text is null or client_id = $1 order by client_id, created_at desc, id
        """;

    /// <summary>What a key may do.</summary>
    public static IReadOnlyList<string> Scopes { get; } = ["orders:read", "orders:write", "webhooks:write"];

    /// <summary>Keys of all clients, or of one.</summary>
    public async Task<IReadOnlyList<ClientKeyView>> ListAsync(string? client, CancellationToken cancellationToken)
    {
        await using var command = _database.CreateCommand(List);
        command.Parameters.Add(
            new() { Value = (object?)StorableText.OfNullable(client) ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<ClientKeyView>();
        while (await reader.ReadAsync(cancellationToken))
            all.Add(
                new ClientKeyView(
                    reader.GetGuid("id"),
                    reader.GetString("client_id"),
                    reader.GetString("hint"),
                    reader.GetFieldValue<string[]>("scopes"),
                    reader.GetFieldValue<DateTimeOffset>("created_at"),
                    reader.Optional<DateTimeOffset>("expires_at"),
                    reader.Optional<DateTimeOffset>("revoked_at"),
                    reader.Optional<Guid>("replaced_by")
                )
            );
        return all;
    }

    /// <summary>Makes a key.</summary>
    /// <param name="acting">The secret of the acting admin's session or key.</param>
    /// <param name="reason">Why.</param>
    /// <param name="client">The client that it speaks for.</param>
    /// <param name="scopes">What it may do.</param>
    /// <param name="expiresAt">When it ends; null for never.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountRefusedException">Nothing was changed.</exception>
    public async Task<MadeKey> CreateAsync(
        byte[] acting,
        string reason,
        string client,
        IReadOnlyCollection<string> scopes,
        DateTimeOffset? expiresAt,
        CancellationToken cancellationToken
    )
    {
        if (!Names().IsMatch(client))
            throw new AccountRefusedException(
                AccountRefusal.Invalid,
                "A client's name has 1 to 64 characters out of a–z, A–Z, 0–9, '.', '_' and '-', and begins with a letter or digit."
            );
        if (scopes.Count == 0 || scopes.Except(Scopes).Any())
            throw new AccountRefusedException(
                AccountRefusal.Invalid,
                $"Expected one or more of the scopes {string.Join(", ", Scopes)}."
            );
        KeyTerms.CheckExpiry(expiresAt);
        var (id, key) = (DatabaseClock.NewId(), ApiKeys.NewKey());
        await AskAsync(
            "select api_key_create($1, $2, $3, $4, $5, $6, $7, $8)",
            cancellationToken,
            new() { Value = acting },
            Text(PersonalText.Of(reason)),
            Text(client),
            new() { Value = id },
            new() { Value = ApiKeys.HashOf(key) },
            Text(KeyText.HintOf(key)),
            new() { Value = scopes.Distinct().ToArray() },
            Time(expiresAt)
        );
        return new MadeKey(id, key, client, expiresAt);
    }

    /// <inheritdoc />
    protected override string NewKey() => ApiKeys.NewKey();

    /// <inheritdoc />
    protected override byte[] HashOf(string key) => ApiKeys.HashOf(key);

    [GeneratedRegex("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\\z")]
    private static partial Regex Names();
}

/// <summary>A client's key as admins see it: everything but the key.</summary>
/// <param name="Id">Its id, for rotating and revoking.</param>
/// <param name="Client">The client that it speaks for.</param>
/// <param name="Hint">Its first characters.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it ends by itself; null for never.</param>
/// <param name="RevokedAt">When it was revoked; null while it is not.</param>
/// <param name="ReplacedBy">The key that a rotation made in its place; null without one.</param>
public sealed record ClientKeyView(
    Guid Id,
    string Client,
    string Hint,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? RevokedAt,
    Guid? ReplacedBy
);
