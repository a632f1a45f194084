using RabbitMQ.Client;

namespace QueueWorkers.Topology;

/// <summary>An exchange and a queue of the same name, as MassTransit declares an endpoint.</summary>
internal static class Endpoint
{
    // Every queue is a quorum queue: replicated where there are several nodes, on disk before it is confirmed
    // everywhere.
    private static readonly Dictionary<string, object?> Quorum = new() { ["x-queue-type"] = "quorum" };

    /// <summary>Declares both and binds them. Safe to repeat.</summary>
    public static async Task DeclareAsync(IChannel channel, string name, CancellationToken cancellationToken)
    {
        await channel.ExchangeDeclareAsync(
            name,
            ExchangeType.Fanout,
            durable: true,
            cancellationToken: cancellationToken
        );
        await channel.QueueDeclareAsync(
            name,
            durable: true,
            exclusive: false,
            autoDelete: false,
            Quorum,
            cancellationToken: cancellationToken
        );
        await channel.QueueBindAsync(name, name, "", cancellationToken: cancellationToken);
    }
}
