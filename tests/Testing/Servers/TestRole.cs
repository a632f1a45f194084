using Npgsql;

namespace Orders.Testing.Servers;

/// <summary>A database role of a test's own, whose password may be rotated and whose rights may be taken away.</summary>
public sealed class TestRole(TestDatabase database, string name) : IAsyncDisposable
{
    internal const string Password = "first";

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>How a host connects as this role, with the first password.</summary>
    public string ConnectionString { get; } = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = name, Password = Password }.ConnectionString;

    /// <summary>Gives it another password and ends its sessions, as somebody does who rotates it before the processes know.</summary>
    public async Task RotateAsync()
    {
        await database.ExecuteAsync($"alter role {name} password 'second'");
        await EndSessionsAsync();
    }

    /// <summary>Gives it the first password again.</summary>
    public Task RotateBackAsync() => database.ExecuteAsync($"alter role {name} password '{Password}'");

    /// <summary>Ends its sessions.</summary>
    public Task EndSessionsAsync() => database.ScalarAsync<long>("select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = $1", name);

    /// <summary>Drops it.</summary>
    public async ValueTask DisposeAsync()
    {
        await EndSessionsAsync();
        await database.ExecuteAsync($"drop owned by {name}; drop role {name}");
    }
}
