using System.Data;
using Npgsql;
using QueueWorkers.Data;

namespace QueueWorkers.Operators.Accounts;

/// <summary>Lists operators and their keys.</summary>
public sealed class OperatorReader(NpgsqlDataSource database)
{
    private const string Keys = """
        select id, name, hint, created_at, expires_at, revoked_at, replaced_by from operator_keys
            order by created_at desc, id
        """;

    private const string Operators = """
        select o.name, o.role, o.version, o.password_hash is not null as has_password,
            o.external_id is not null as external, o.created_at, o.disabled_at,
            (select count(*) from operator_sessions s where s.name = o.name and s.expires_at > now()
                and s.idle_until > now())::integer as sessions
        from operators o order by o.name
        """;

    /// <summary>All operators by their names, each with its keys.</summary>
    public async Task<IReadOnlyList<OperatorView>> ListAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var keys = await KeysAsync(connection, cancellationToken);
        await using var command = new NpgsqlCommand(Operators, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<OperatorView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = reader.GetString("name");
            all.Add(
                new OperatorView(
                    name,
                    (OperatorRole)reader.GetInt16("role"),
                    reader.GetInt32("version"),
                    reader.GetBoolean("has_password"),
                    reader.GetBoolean("external"),
                    reader.GetFieldValue<DateTimeOffset>("created_at"),
                    reader.Optional<DateTimeOffset>("disabled_at"),
                    reader.GetInt32("sessions"),
                    [.. keys[name]]
                )
            );
        }

        return all;
    }

    private static async Task<ILookup<string, KeyView>> KeysAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Keys, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var all = new List<(string Name, KeyView Key)>();
        while (await reader.ReadAsync(cancellationToken))
            all.Add(
                (
                    reader.GetString("name"),
                    new KeyView(
                        reader.GetGuid("id"),
                        reader.GetString("hint"),
                        reader.GetFieldValue<DateTimeOffset>("created_at"),
                        reader.Optional<DateTimeOffset>("expires_at"),
                        reader.Optional<DateTimeOffset>("revoked_at"),
                        reader.Optional<Guid>("replaced_by")
                    )
                )
            );
        return all.ToLookup(k => k.Name, k => k.Key);
    }
}
