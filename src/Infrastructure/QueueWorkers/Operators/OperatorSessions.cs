using System.Security.Cryptography;
using Npgsql;
using QueueWorkers.Operators.Accounts;
using QueueWorkers.Operators.Sessions;

namespace QueueWorkers.Operators;

/// <summary>Logs operators in with name and password, and finds them again by the secret their browser keeps.</summary>
public sealed class OperatorSessions(NpgsqlDataSource database, OperatorStore operators, OperatorSessionOptions options)
{
    /// <summary>How long a session lasts.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    // What is checked for a name that does not exist, so that the time does not tell which names do.
    private static readonly Lazy<string> Nobody = new(() =>
        OperatorPassword.Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)))
    );

    // The database compares the proof itself: who holds the dashboard's login but no password begins no session.
    private const string Begin = """
        with old as (delete from operator_sessions where expires_at < now() or idle_until < now())
        select operator_session_begin($2, $3, $1, $4, $5)
        """;

    private const string BeginExternal = """
        with old as (delete from operator_sessions where expires_at < now() or idle_until < now())
        select operator_session_begin_external($2, $3, $4, $1, $5, $6)
        """;

    private const string Find = """
        select o.name, o.role, s.idle_until < now() + $2 - interval '30 seconds'
            from operator_sessions s join operators o on o.name = s.name
            where s.hash = $1 and s.expires_at > now() and s.idle_until > now() and o.disabled_at is null
        """;

    private const string Touch =
        "update operator_sessions set idle_until = least(expires_at, now() + $2) where hash = $1 and idle_until > now()";

    /// <summary>
    /// Checks a name and a password, and begins a session. A check takes a third of a second of processor, also for a
    /// name that does not exist: the caller bounds how many run.
    /// </summary>
    /// <returns>The session's secret; null when name or password are wrong.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<string?> BeginAsync(string name, string password, CancellationToken cancellationToken)
    {
        var known = await operators.FindByNameAsync(name, cancellationToken);
        var proof = await Task.Run(
            () => OperatorPassword.ProofOf(password, known?.PasswordHash ?? Nobody.Value),
            cancellationToken
        );
        if (proof is null || known?.PasswordHash is null)
            return null;

        var secret = RandomNumberGenerator.GetBytes(32);
        await using var command = database.CreateCommand(Begin);
        command.Parameters.Add(new() { Value = SHA256.HashData(secret) });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = proof });
        command.Parameters.Add(new() { Value = Lifetime });
        command.Parameters.Add(new() { Value = options.Idle });
        // False when the password was changed, or the operator disabled, at this moment.
        return await command.ExecuteScalarAsync(cancellationToken) is true ? Convert.ToHexStringLower(secret) : null;
    }

    /// <summary>Begins a session of an operator whom the identity provider has let in.</summary>
    /// <param name="externalId">Who it is at the provider, <c>issuer subject</c>.</param>
    /// <param name="name">The operator's name here.</param>
    /// <param name="role">The role that the provider gives.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The session's secret, and the name that the operator has had since the first login.</returns>
    /// <exception cref="AccountRefusedException">The name belongs to somebody else, or the operator is disabled.
    /// </exception>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<(string Secret, string Name)> BeginExternalAsync(
        string externalId,
        string name,
        OperatorRole role,
        CancellationToken cancellationToken
    )
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        await using var command = database.CreateCommand(BeginExternal);
        command.Parameters.Add(new() { Value = SHA256.HashData(secret) });
        command.Parameters.Add(new() { Value = externalId });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = (short)role });
        command.Parameters.Add(new() { Value = Lifetime });
        command.Parameters.Add(new() { Value = options.Idle });
        var known = await AccountRefusedException.UnwrapAsync(() => command.ExecuteScalarAsync(cancellationToken));
        return (Convert.ToHexStringLower(secret), (string)known!);
    }

    /// <summary>The operator of a session; null when there is no such session, or it has ended.</summary>
    /// <param name="secret">What the browser keeps.</param>
    /// <param name="isActive">Whether the operator does something, and does not only leave a page open.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<OperatorAccount?> FindAsync(string secret, bool isActive, CancellationToken cancellationToken)
    {
        if (HashOf(secret) is not { } hash)
            return null;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (found, isDue) = await FindAsync(connection, hash, cancellationToken);
        if (found is null || !isActive || !isDue)
            return found;
        await using var touch = new NpgsqlCommand(Touch, connection);
        touch.Parameters.Add(new() { Value = hash });
        touch.Parameters.Add(new() { Value = options.Idle });
        await touch.ExecuteNonQueryAsync(cancellationToken);
        return found;
    }

    /// <summary>Ends a session.</summary>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task EndAsync(string secret, CancellationToken cancellationToken)
    {
        if (HashOf(secret) is not { } hash)
            return;
        await using var command = database.CreateCommand("delete from operator_sessions where hash = $1");
        command.Parameters.Add(new() { Value = hash });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<(OperatorAccount? Operator, bool IsDue)> FindAsync(
        NpgsqlConnection connection,
        byte[] hash,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Find, connection);
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = options.Idle });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (
                new OperatorAccount { Name = reader.GetString(0), Role = (OperatorRole)reader.GetInt16(1) },
                reader.GetBoolean(2)
            )
            : default;
    }

    private static byte[]? HashOf(string secret) =>
        secret.Length == 64 && secret.All(char.IsAsciiHexDigit) ? SHA256.HashData(Convert.FromHexString(secret)) : null;
}
