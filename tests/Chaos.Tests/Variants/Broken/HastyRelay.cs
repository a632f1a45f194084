using Microsoft.Extensions.Hosting;
using Npgsql;
using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>Takes rows out of the outbox, commits, and then publishes them: what could go wrong in between?</summary>
internal sealed class HastyRelay(NpgsqlDataSource database, BrokerConnection broker) : BackgroundService
{
    private const string Take =
        "delete from outbox where id in (select id from outbox limit 100 for update skip locked) returning message_id, exchange, routing_key, correlation_id, content_type, body";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var (exchange, key, properties, body) in await TakeAsync(stoppingToken))
                {
                    var connection = await broker.OpenAsync(stoppingToken);
                    await using var channel = await connection.CreateChannelAsync(cancellationToken: stoppingToken);
                    await channel.BasicPublishAsync(exchange, key, mandatory: false, properties, body, stoppingToken);
                }
            }
            catch (Exception fault) when (fault is RabbitMQClientException or IOException or NpgsqlException)
            {
                // It tries again; the rows it had taken are gone.
            }
        }
    }

    private async Task<List<(string Exchange, string RoutingKey, BasicProperties Properties, byte[] Body)>> TakeAsync(
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Take);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<(string, string, BasicProperties, byte[])>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var properties = new BasicProperties
            {
                Persistent = true,
                MessageId = reader.GetGuid(0).ToString(),
                CorrelationId = reader.GetString(3),
                ContentType = reader.GetString(4),
            };
            rows.Add((reader.GetString(1), reader.GetString(2), properties, reader.GetFieldValue<byte[]>(5)));
        }

        return rows;
    }
}
