using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;

namespace QueueWorkers.Operators;

/// <summary>Finds operators, and makes the first one.</summary>
public sealed class OperatorStore(NpgsqlDataSource database)
{
    private const string Columns = "name, role, password_hash, key_hash, created_at, disabled_at";

    /// <summary>The operator whose key this is; null when there is none, or it is shut out.</summary>
    public async Task<OperatorAccount?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindAsync(
            connection,
            $"select {Columns} from operators where key_hash = $1 and disabled_at is null",
            OperatorKey.HashOf(key),
            cancellationToken
        );
    }

    /// <summary>The operator of a name; null when there is none, or it is shut out.</summary>
    public async Task<OperatorAccount?> FindByNameAsync(string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindByNameAsync(connection, name, cancellationToken);
    }

    /// <summary>
    /// Makes an operator, or gives an existing one this password and this key; what is null stays as it is.
    /// </summary>
    public async Task EnsureAsync(
        string name,
        OperatorRole role,
        string? password,
        string? key,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await EnsureAsync(connection, name, role, password, key, cancellationToken);
    }

    /// <summary>The same over a connection of the caller's, in its transaction.</summary>
    public static async Task EnsureAsync(
        NpgsqlConnection connection,
        string name,
        OperatorRole role,
        string? password,
        string? key,
        CancellationToken cancellationToken
    )
    {
        // A new hash of the same password differs each time: written only when the password has changed.
        var known = await FindByNameAsync(connection, name, cancellationToken);
        var hash =
            password is null || (known?.PasswordHash is { } stored && OperatorPassword.Verify(password, stored))
                ? known?.PasswordHash
                : OperatorPassword.Hash(password);
        await using var command = new NpgsqlCommand(
            """
            insert into operators (name, role, password_hash, key_hash) values ($1, $2, $3, $4)
            on conflict (name) do update set role = excluded.role,
                password_hash = coalesce(excluded.password_hash, operators.password_hash),
                key_hash = coalesce(excluded.key_hash, operators.key_hash)
            """,
            connection
        );
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = (short)role });
        command.Parameters.Add(new() { Value = (object?)hash ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(
            new() { Value = key is null ? DBNull.Value : OperatorKey.HashOf(key), NpgsqlDbType = NpgsqlDbType.Bytea }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static Task<OperatorAccount?> FindByNameAsync(
        NpgsqlConnection connection,
        string name,
        CancellationToken cancellationToken
    ) =>
        FindAsync(
            connection,
            $"select {Columns} from operators where name = $1 and disabled_at is null",
            name,
            cancellationToken
        );

    private static async Task<OperatorAccount?> FindAsync(
        NpgsqlConnection connection,
        string sql,
        object value,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return null;
        return new OperatorAccount
        {
            Name = reader.GetString("name"),
            Role = (OperatorRole)reader.GetInt16("role"),
            PasswordHash = reader.OptionalText("password_hash"),
            KeyHash = reader.IsDBNull("key_hash") ? null : reader.GetFieldValue<byte[]>("key_hash"),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>("created_at"),
            DisabledAt = reader.Optional<DateTimeOffset>("disabled_at"),
        };
    }
}
