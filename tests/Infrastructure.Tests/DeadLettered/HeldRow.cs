using Npgsql;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>A row that the test has locked, so that others stand still at a known place until it is let go.</summary>
internal sealed class HeldRow : IAsyncDisposable
{
    private readonly OrdersSystem _system;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private HeldRow(OrdersSystem system, NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_system, _connection, _transaction) = (system, connection, transaction);

    /// <summary>Locks the progress of an order.</summary>
    public static async Task<HeldRow> ProgressOfAsync(OrdersSystem system, Guid order)
    {
        var connection = await system.Database.Source.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(
            "select from order_progress where order_id = $1 for update",
            connection
        );
        command.Parameters.Add(new() { Value = order });
        await command.ExecuteNonQueryAsync();
        return new HeldRow(system, connection, transaction);
    }

    /// <summary>Waits until so many others stand still at a lock.</summary>
    public Task UntilAwaitedAsync(int count) => UntilAwaitedAsync(_system, count);

    /// <inheritdoc cref="UntilAwaitedAsync(int)" />
    public static Task UntilAwaitedAsync(OrdersSystem system, int count) =>
        Eventually.That(
            () =>
                system.Database.CountAsync(
                    "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                ),
            Is.EqualTo(count),
            "connections that wait for a lock",
            TimeSpan.FromMinutes(1)
        );

    /// <summary>Lets it go.</summary>
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
