using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Messaging;

/// <summary>What a failed call to the broker means.</summary>
public static class BrokerFault
{
    /// <summary>True when the broker cannot be used now: not there, going down, or the connection was lost.</summary>
    public static bool IsUnavailable(Exception exception) => exception is RabbitMQClientException or IOException || (exception.InnerException is { } inner && IsUnavailable(inner));
}
