using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.Operators.Keys;

namespace QueueWorkers.Operators;

/// <summary>Finds operators, and makes the first one.</summary>
public sealed class OperatorStore(NpgsqlDataSource database)
{
    private const string Columns =
        "o.name, o.role, o.password_hash, o.deployed_password_hash, o.external_id, o.version, o.created_at, "
        + "o.disabled_at";

    // What an operator has done about the key or the account since the last deployment stays, unless it brings another
    // key or another password.
    private const string EnsureAccount = """
        insert into operators (name, role, password_hash, deployed_password_hash) values ($1, $2, $3, $3)
        on conflict (name) do update set role = excluded.role, disabled_at = null, version = operators.version + 1,
            password_hash = excluded.password_hash, deployed_password_hash = excluded.password_hash
        where excluded.password_hash is not null
        """;

    private const string EnsureKey = """
        with dead as (select from operator_keys
            where hash = $2 and (revoked_at is not null or expires_at <= now())),
        old as (update operator_keys set revoked_at = now()
            where name = $1 and deployed and hash <> $2 and revoked_at is null and not exists (select from dead)),
        new as (insert into operator_keys (id, name, hash, hint, deployed) values ($3, $1, $2, $4, true)
            on conflict (hash) do nothing returning name),
        let_in as (update operators o set role = $5, disabled_at = null, version = o.version + 1
            from new where o.name = new.name and (o.role <> $5 or o.disabled_at is not null))
        select not exists (select from dead)
        """;

    /// <summary>
    /// The operator whose key this is; null when there is none, it has expired or was revoked, or the operator is shut
    /// out.
    /// </summary>
    public async Task<OperatorAccount?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindAsync(
            connection,
            $"""
            select {Columns} from operator_keys k join operators o on o.name = k.name where k.hash = $1
                and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and o.disabled_at is null
            """,
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
    /// Makes an operator, or gives an existing one this password and this key, as a deployment does; what is null stays
    /// as it is. A password or key that this gave before changes nothing: the operator may have changed it since.
    /// A new one replaces it, gives the role, lets a disabled operator in again, and ends the sessions of a changed
    /// password.
    /// </summary>
    /// <returns>False when the key was revoked or has expired: it stays so, and the one of before stays valid.</returns>
    /// <exception cref="InvalidOperationException">The operator comes from the identity provider.</exception>
    public async Task<bool> EnsureAsync(
        string name,
        OperatorRole role,
        string? password,
        string? key,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await EnsureAsync(connection, name, role, password, key, cancellationToken);
    }

    /// <summary>The same over a connection of the caller's, in its transaction.</summary>
    public static async Task<bool> EnsureAsync(
        NpgsqlConnection connection,
        string name,
        OperatorRole role,
        string? password,
        string? key,
        CancellationToken cancellationToken
    )
    {
        var known = await FindAsync(
            connection,
            $"select {Columns} from operators o where o.name = $1",
            name,
            cancellationToken
        );
        if (known?.ExternalId is not null)
            throw new InvalidOperationException(
                $"Operator '{name}' comes from the identity provider; rename it there, or deploy without ORDERS_ADMIN_PASSWORD and ORDERS_OPERATOR_KEY."
            );
        // A new hash of the same password differs each time: written only when the password has changed.
        var hash =
            password is null || (known?.DeployedPasswordHash is { } stored && OperatorPassword.Verify(password, stored))
                ? null
                : OperatorPassword.Hash(password);
        await using (var account = new NpgsqlCommand(EnsureAccount, connection))
        {
            account.Parameters.Add(new() { Value = name });
            account.Parameters.Add(new() { Value = (short)role });
            account.Parameters.Add(new() { Value = (object?)hash ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            await account.ExecuteNonQueryAsync(cancellationToken);
        }

        if (hash is not null && known is not null)
        {
            await using var end = new NpgsqlCommand("delete from operator_sessions where name = $1", connection);
            end.Parameters.Add(new() { Value = name });
            await end.ExecuteNonQueryAsync(cancellationToken);
        }

        if (key is null)
            return true;
        await using var command = new NpgsqlCommand(EnsureKey, connection);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = OperatorKey.HashOf(key) });
        command.Parameters.Add(new() { Value = DatabaseClock.NewId() });
        command.Parameters.Add(new() { Value = KeyText.HintOf(key) });
        command.Parameters.Add(new() { Value = (short)role });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static Task<OperatorAccount?> FindByNameAsync(
        NpgsqlConnection connection,
        string name,
        CancellationToken cancellationToken
    ) =>
        FindAsync(
            connection,
            $"select {Columns} from operators o where o.name = $1 and o.disabled_at is null",
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
            DeployedPasswordHash = reader.OptionalText("deployed_password_hash"),
            ExternalId = reader.OptionalText("external_id"),
            Version = reader.GetInt32("version"),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>("created_at"),
            DisabledAt = reader.Optional<DateTimeOffset>("disabled_at"),
        };
    }
}
