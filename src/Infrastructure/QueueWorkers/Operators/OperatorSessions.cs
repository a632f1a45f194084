using System.Security.Cryptography;
using Npgsql;

namespace QueueWorkers.Operators;

/// <summary>Logs operators in with name and password, and finds them again by the secret their browser keeps.</summary>
public sealed class OperatorSessions(NpgsqlDataSource database, OperatorStore operators)
{
    /// <summary>Wrong passwords in a row after which nobody gets in for a while.</summary>
    public const int MostTries = 5;

    /// <summary>How long that while is.</summary>
    public static readonly TimeSpan LockOut = TimeSpan.FromMinutes(15);

    /// <summary>How long a session lasts.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(12);

    // Each check costs a third of a second of processor: strangers who guess must not take all of it.
    private static readonly SemaphoreSlim Checks = new(1, 1);

    // What is checked for a name that does not exist, so that the time does not tell which names do.
    private static readonly Lazy<string> Nobody = new(() =>
        OperatorPassword.Hash(Convert.ToHexString(RandomNumberGenerator.GetBytes(16)))
    );

    // Counted before the password is looked at: a hundred guesses at once are a hundred tries, and the sixth meets the
    // lock.
    private const string Try = """
        update operators set failed_tries = case when locked_until < now() then 1 else failed_tries + 1 end,
            locked_until = case when locked_until >= now() then locked_until when locked_until is null
                and failed_tries + 1 >= $2 then now() + $3 end
        where name = $1 and disabled_at is null
        returning failed_tries, locked_until
        """;

    private const string Begin = """
        with welcome as (update operators set failed_tries = 0, locked_until = null where name = $2),
        old as (delete from operator_sessions where expires_at < now())
        insert into operator_sessions (hash, name, expires_at) values ($1, $2, now() + $3)
        """;

    private const string Find = """
        select o.name, o.role from operator_sessions s join operators o on o.name = s.name
            where s.hash = $1 and s.expires_at > now() and o.disabled_at is null
        """;

    /// <summary>Checks a name and a password, and begins a session.</summary>
    /// <returns>
    /// The session's secret; or until when the operator is locked out; or neither, when name or password are wrong.
    /// </returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<(string? Secret, DateTimeOffset? LockedUntil)> BeginAsync(
        string name,
        string password,
        CancellationToken cancellationToken
    )
    {
        var known = await operators.FindByNameAsync(name, cancellationToken);
        if (
            known is not null
            && await CountTryAsync(name, cancellationToken) is { LockedUntil: { } until, Tries: > MostTries }
        )
            return (null, until);

        await Checks.WaitAsync(cancellationToken);
        bool right;
        try
        {
            right =
                await Task.Run(
                    () => OperatorPassword.Verify(password, known?.PasswordHash ?? Nobody.Value),
                    cancellationToken
                ) && known?.PasswordHash is not null;
        }
        finally
        {
            Checks.Release();
        }

        if (!right)
            return (null, null);

        var secret = RandomNumberGenerator.GetBytes(32);
        await using var command = database.CreateCommand(Begin);
        command.Parameters.Add(new() { Value = SHA256.HashData(secret) });
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = Lifetime });
        await command.ExecuteNonQueryAsync(cancellationToken);
        return (Convert.ToHexStringLower(secret), null);
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

    private async Task<(int Tries, DateTimeOffset? LockedUntil)> CountTryAsync(
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Try);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = MostTries });
        command.Parameters.Add(new() { Value = LockOut });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1))
            : default;
    }

    private static byte[]? HashOf(string secret) =>
        secret.Length == 64 && secret.All(char.IsAsciiHexDigit) ? SHA256.HashData(Convert.FromHexString(secret)) : null;
}
