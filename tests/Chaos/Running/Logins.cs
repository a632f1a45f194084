using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace Orders.Chaos.Running;

/// <summary>
/// Refuses logins at database and broker, and allows them again.
/// What is needed to undo a change is kept before the change is made, and forgotten when the change is undone.
/// <see cref="HealAsync"/> undoes whatever is left.
/// </summary>
/// <param name="maintenance">Another database of the server, as its owner. It is open while the database is closed.</param>
/// <param name="management">The broker's management API, as its administrator.</param>
/// <param name="database">The name of the database.</param>
public sealed class Logins(NpgsqlDataSource maintenance, HttpClient management, string database)
{
    private const string Other = "rotated-by-chaos";
    private const string Sessions =
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and ";

    private readonly ConcurrentDictionary<string, string> _verifiers = new();
    private readonly ConcurrentDictionary<string, BrokerUser> _users = new();
    private volatile bool _isClosed;

    /// <summary>Gives the database role of a service another password and terminates its sessions.</summary>
    public async Task<bool> RotateAtDatabaseAsync(string service, CancellationToken cancellationToken)
    {
        var role = RoleOf(service);
        if (!_verifiers.ContainsKey(role))
        {
            await using var command = maintenance.CreateCommand("select rolpassword from pg_authid where rolname = $1");
            command.Parameters.Add(new() { Value = role });
            _verifiers[role] =
                await command.ExecuteScalarAsync(cancellationToken) as string
                ?? throw new InvalidOperationException($"Role {role} has no password.");
        }

        await ExecuteAsync($"alter role {role} password '{Other}'", cancellationToken);
        await ExecuteAsync($"{Sessions} usename = '{role}'", cancellationToken);
        return true;
    }

    /// <summary>Gives it its own password back.</summary>
    public async Task<bool> RestoreAtDatabaseAsync(string service, CancellationToken cancellationToken)
    {
        var role = RoleOf(service);
        if (_verifiers.TryGetValue(role, out var verifier))
            await ExecuteAsync($"alter role {role} password '{verifier}'", cancellationToken);
        _verifiers.TryRemove(role, out _);
        return true;
    }

    /// <summary>Closes the database to new connections, its owner's too, and terminates those of the processes.</summary>
    public async Task<bool> CloseDatabaseAsync(CancellationToken cancellationToken)
    {
        _isClosed = true;
        await ExecuteAsync($"alter database \"{database}\" allow_connections false", cancellationToken);
        await ExecuteAsync(
            $@"{Sessions} datname = '{database}' and usename like 'orders\_%' and usename <> 'orders_owner'",
            cancellationToken
        );
        return true;
    }

    /// <summary>Opens it again.</summary>
    public async Task<bool> OpenDatabaseAsync(CancellationToken cancellationToken)
    {
        await ExecuteAsync($"alter database \"{database}\" allow_connections true", cancellationToken);
        _isClosed = false;
        return true;
    }

    /// <summary>Gives the broker user of a service another password and closes its connections.</summary>
    public async Task<bool> RotateAtBrokerAsync(string service, CancellationToken cancellationToken)
    {
        var user = RoleOf(service);
        if (!_users.ContainsKey(user))
            _users[user] = (await management.GetFromJsonAsync<BrokerUser>($"api/users/{user}", cancellationToken))!;
        await PutAsync(user, new { password = Other, tags = string.Join(',', _users[user].Tags) }, cancellationToken);
        using var closed = await management.DeleteAsync($"api/connections/username/{user}", cancellationToken);
        closed.EnsureSuccessStatusCode();
        return true;
    }

    /// <summary>Gives it its own password back.</summary>
    public async Task<bool> RestoreAtBrokerAsync(string service, CancellationToken cancellationToken)
    {
        var user = RoleOf(service);
        if (_users.TryGetValue(user, out var before))
            await PutAsync(
                user,
                new
                {
                    password_hash = before.PasswordHash,
                    hashing_algorithm = before.HashingAlgorithm,
                    tags = string.Join(',', before.Tags),
                },
                cancellationToken
            );
        _users.TryRemove(user, out _);
        return true;
    }

    /// <summary>Undoes what was not undone.</summary>
    public async Task<bool> HealAsync(CancellationToken cancellationToken)
    {
        if (_isClosed)
            await OpenDatabaseAsync(cancellationToken);
        foreach (var role in _verifiers.Keys)
            await RestoreAtDatabaseAsync(ServiceOf(role), cancellationToken);
        foreach (var user in _users.Keys)
            await RestoreAtBrokerAsync(ServiceOf(user), cancellationToken);
        return true;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = maintenance.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task PutAsync(string user, object body, CancellationToken cancellationToken)
    {
        using var answer = await management.PutAsJsonAsync($"api/users/{user}", body, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    private static string RoleOf(string service) => $"orders_{service}";

    private static string ServiceOf(string role) => role["orders_".Length..];

    private sealed record BrokerUser(
        [property: JsonPropertyName("password_hash")] string PasswordHash,
        [property: JsonPropertyName("hashing_algorithm")] string HashingAlgorithm,
        [property: JsonPropertyName("tags")] string[] Tags
    );
}
