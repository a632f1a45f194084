using RabbitMQ.Client;

namespace QueueWorkers.Messaging;

/// <summary>Declares queues as MassTransit declares an endpoint: an exchange and a queue of the same name.</summary>
internal static class QueueDeclaration
{
    /// <summary>The arguments of every queue: quorum, so that a confirmed message is on disk on a majority of nodes.</summary>
    public static Dictionary<string, object?> Quorum { get; } = new() { ["x-queue-type"] = "quorum" };

    /// <summary>Declares exchange, queue and binding. Safe to repeat.</summary>
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
