using BenchmarkDotNet.Attributes;
using Npgsql;
using Orders.Contracts;
using QueueWorkers.Outbox;

namespace Orders.Bench.Micro;

/// <summary>Outbox rows in one statement and one commit. Divide by the rows.</summary>
public class OutboxWriteBenchmarks
{
    private OutboxMessage[] _messages = [];
    private NpgsqlConnection _connection = null!;

    [Params(1, 100)]
    public int Rows { get; set; }

    [GlobalSetup]
    public async Task OpenAsync()
    {
        _connection = await Place.Present.Source.OpenConnectionAsync();
        await ExecuteAsync("truncate outbox");
    }

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await ExecuteAsync("truncate outbox");
        await _connection.DisposeAsync();
    }

    [Benchmark]
    public async Task Insert_and_commit()
    {
        _messages =
        [
            .. Enumerable
                .Range(0, Rows)
                .Select(_ =>
                    OutgoingMessage.Create(
                        new OrderAccepted(Guid.NewGuid(), false, DateTimeOffset.UtcNow),
                        Guid.NewGuid()
                    )
                ),
        ];
        await OutboxWriter.InsertAsync(_connection, _messages);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, _connection);
        await command.ExecuteNonQueryAsync();
    }
}
