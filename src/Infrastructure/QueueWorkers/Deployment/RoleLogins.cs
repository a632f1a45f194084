using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace QueueWorkers.Deployment;

/// <summary>
/// The roles of the processes and their passwords. Roles belong to the whole server, so two databases of one server
/// share them.
/// </summary>
internal static class RoleLogins
{
    /// <summary>
    /// Creates those roles that are missing, without any right. Each commits at once: nobody notices a role that may
    /// do nothing, and a deployment of another database that creates the same one must not wait for this one.
    /// </summary>
    public static async Task CreateAsync(
        NpgsqlDataSource database,
        IReadOnlyDictionary<string, string> passwords,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var there = await StoredAsync(connection, passwords.Keys, "null::text", cancellationToken);
        foreach (var (role, password) in passwords.Where(p => !there.ContainsKey(p.Key)))
        {
            try
            {
                await ExecuteAsync(
                    connection,
                    $"create role {role} login nosuperuser nocreatedb nocreaterole password '{Quoted(password)}'",
                    cancellationToken
                );
            }
            catch (PostgresException fault)
                when (fault.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
            {
                // Another database's deployment was faster; the password is compared later.
            }
        }
    }

    /// <summary>Sets the passwords that differ, in the caller's transaction.</summary>
    /// <remarks>Setting the same password again would lock the role's row against the deployments of all other
    /// databases. Only a superuser can compare; others set all of them.</remarks>
    public static async Task SetPasswordsAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<string, string> passwords,
        CancellationToken cancellationToken
    )
    {
        bool canCompare;
        await using (var command = new NpgsqlCommand("select has_table_privilege('pg_authid', 'select')", connection))
            canCompare = await command.ExecuteScalarAsync(cancellationToken) is true;
        var stored = canCompare
            ? await StoredAsync(connection, passwords.Keys, "rolpassword", cancellationToken)
            : new Dictionary<string, string>();
        foreach (var (role, password) in passwords)
        {
            if (!stored.TryGetValue(role, out var verifier) || !Verify(password, verifier))
                await ExecuteAsync(connection, $"alter role {role} password '{Quoted(password)}'", cancellationToken);
        }
    }

    /// <summary>Whether a password is the one that PostgreSQL stores as a SCRAM verifier.</summary>
    /// <remarks>No for a password with characters beyond ASCII, which SCRAM normalises first.</remarks>
    internal static bool Verify(string password, string verifier)
    {
        // SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>
        var parts = verifier.Split('$', ':');
        if (parts is not ["SCRAM-SHA-256", var iterations, var salt, var stored, _] || !Ascii.IsValid(password))
            return false;
        var salted = Rfc2898DeriveBytes.Pbkdf2(
            password,
            Convert.FromBase64String(salt),
            int.Parse(iterations, System.Globalization.CultureInfo.InvariantCulture),
            HashAlgorithmName.SHA256,
            SHA256.HashSizeInBytes
        );
        return CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8)),
            Convert.FromBase64String(stored)
        );
    }

    private static async Task<Dictionary<string, string>> StoredAsync(
        NpgsqlConnection connection,
        IEnumerable<string> roles,
        string column,
        CancellationToken cancellationToken
    )
    {
        var table = column == "rolpassword" ? "pg_authid" : "pg_roles";
        await using var command = new NpgsqlCommand(
            $"select rolname::text, coalesce({column}, '') from {table} where rolname = any($1)",
            connection
        );
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. roles] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var stored = new Dictionary<string, string>();
        while (await reader.ReadAsync(cancellationToken))
            stored[reader.GetString(0)] = reader.GetString(1);
        return stored;
    }

    private static string Quoted(string text) => text.Replace("'", "''", StringComparison.Ordinal);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
