using Npgsql;

namespace Orders.Infrastructure.Reading;

/// <summary>Finds out for whom an API key speaks.</summary>
public sealed class ApiKeyReader(NpgsqlDataSource database)
{
    private const string Find =
        "select client_id, scopes, expires_at from api_keys where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())";

    /// <summary>Looks a key up.</summary>
    /// <param name="hash">Its hash, see <see cref="ApiKeyHash"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>
    /// The client, or null when the key is unknown, expired or revoked: callers must not tell these apart.
    /// </returns>
    /// <exception cref="NpgsqlException">The database cannot be read: nothing is known about the key.</exception>
    public async Task<KnownClient?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Find);
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = hash });
        Failpoint.Hit("api.before_read_key", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new KnownClient(
            reader.GetString(0),
            reader.GetFieldValue<string[]>(1),
            reader.Optional<DateTimeOffset>(2)
        );
    }
}

/// <summary>The client behind a valid key.</summary>
/// <param name="ClientId">The client.</param>
/// <param name="Scopes">What the key may do.</param>
/// <param name="ExpiresAt">When the key ends; null for never.</param>
public sealed record KnownClient(string ClientId, IReadOnlyList<string> Scopes, DateTimeOffset? ExpiresAt);
