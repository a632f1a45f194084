using System.Security.Cryptography;
using Npgsql;

namespace QueueWorkers.Operators;

/// <summary>Logs operators in with name and password, and finds them again by the secret their browser keeps.</summary>
public sealed class OperatorSessions(NpgsqlDataSource database, OperatorStore operators)
{
    /// <summary>How long a session lasts.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    // What is checked for a name that does not exist, so that the time does not tell which names do.
    private static readonly Lazy<string> Nobody = new(() =>
        OperatorPassword.Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)))
    );

    private const string Begin = """
        with old as (delete from operator_sessions where expires_at < now())
        insert into operator_sessions (hash, name, expires_at) values ($1, $2, now() + $3)
        """;

    private const string Find = """
        select o.name, o.role from operator_sessions s join operators o on o.name = s.name
            where s.hash = $1 and s.expires_at > now() and o.disabled_at is null
        """;

    /// <summary>
    /// Checks a name and a password, and begins a session. A check takes a third of a second of processor, also for a
    /// name that does not exist: the caller bounds how many run.
    /// </summary>
    /// <returns>The session's secret; null when name or password are wrong.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<string?> BeginAsync(string name, string password, CancellationToken cancellationToken)
    {
        var known = await operators.FindByNameAsync(name, cancellationToken);
        var right = await Task.Run(
            () => OperatorPassword.Verify(password, known?.PasswordHash ?? Nobody.Value),
            cancellationToken
        );
        if (!right || known?.PasswordHash is null)
            return null;

        var secret = RandomNumberGenerator.GetBytes(32);
        await using var command = database.CreateCommand(Begin);
        command.Parameters.Add(new() { Value = SHA256.HashData(secret) });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = Lifetime });
        await command.ExecuteNonQueryAsync(cancellationToken);
        return Convert.ToHexStringLower(secret);
    }

    /// <summary>The operator of a session; null when there is no such session, or it has ended.</summary>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<OperatorAccount?> FindAsync(string secret, CancellationToken cancellationToken)
    {
        if (HashOf(secret) is not { } hash)
            return null;
        await using var command = database.CreateCommand(Find);
        command.Parameters.Add(new() { Value = hash });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? new OperatorAccount { Name = reader.GetString(0), Role = (OperatorRole)reader.GetInt16(1) }
            : null;
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

    private static byte[]? HashOf(string secret) =>
        secret.Length == 64 && secret.All(char.IsAsciiHexDigit) ? SHA256.HashData(Convert.FromHexString(secret)) : null;
}
