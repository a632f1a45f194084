using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>The sending part of a redrive, without the loop around it.</summary>
internal sealed class Redriver : IDisposable
{
    private readonly OrdersSystem _system;
    private readonly RelayFeed _feed = new();
    private readonly RedriveMover _mover;

    public Redriver(OrdersSystem system)
    {
        _system = system;
        var contract = new PayloadContract(new ZooContracts());
        _mover = new RedriveMover(
            _feed,
            new OrderDirectory(system.Database.Source, new ZooContracts()),
            contract,
            new PayloadEdits(contract)
        );
    }

    /// <summary>Begins a redrive of what stands of a message, and sends it; returns the redrive.</summary>
    public async Task<Guid> RedriveAsync(Guid message)
    {
        await using var connection = await _system.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var redrive = Guid.CreateVersion7();
        await using var command = new NpgsqlCommand(
            $"""
            with r as (
                insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent,
                    total)
                values ($1, {RedriveStage.Ramp:D}, 'otto', 'To see.', '{"{}"}', 0, 100, 100, 1))
            insert into redrive_items (redrive_id, failure_id, state)
            select $1, id, {RedriveItemState.Waiting:D} from failures where message_id = $2
            """,
            connection
        );
        command.Parameters.Add(new() { Value = redrive });
        command.Parameters.Add(new() { Value = message });
        await command.ExecuteNonQueryAsync();
        var (_, sent) = await _mover.MoveAsync(connection, redrive, null, 10, CancellationToken.None);
        Assert.That(sent, Is.EqualTo(1), "messages that were redriven");
        await transaction.CommitAsync();
        // As the relay leaves it.
        await _system.Database.ExecuteAsync("delete from outbox where message_id = $1", message);
        return redrive;
    }

    /// <summary>Looks what has come of it.</summary>
    public async Task<RedriveItemState> SettleAsync(Guid redrive)
    {
        await using var connection = await _system.Database.Source.OpenConnectionAsync();
        await RedriveSql.SettleAsync(connection, redrive, CancellationToken.None);
        return (RedriveItemState)
            await _system.Database.ScalarAsync<short>("select state from redrive_items where redrive_id = $1", redrive);
    }

    /// <inheritdoc />
    public void Dispose() => _feed.Dispose();

    private sealed class ZooContracts : IMessageContracts
    {
        public IReadOnlyCollection<string> Names => [];

        public Type? Find(string messageType) => messageType == "Orders.Testing.Zoo:Feed" ? typeof(Feed) : null;
    }
}
