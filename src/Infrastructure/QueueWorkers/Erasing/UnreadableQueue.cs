using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Erasing;

/// <summary>
/// Sentences on a queue that cannot be looked through, for the operator who waits for an erasure: which queue, why, and
/// what to do.
/// </summary>
internal static class UnreadableQueue
{
    /// <summary>Whether the broker refuses this process the queue.</summary>
    public static bool IsRefused(OperationInterruptedException fault) =>
        fault.ShutdownReason?.ReplyCode == Constants.AccessRefused;

    /// <summary>The broker refuses to read the queue, such as that of a step which is no longer there.</summary>
    public static string Refused(string queue, OperationInterruptedException refused) =>
        $"Queue {queue} may not be read: {refused.ShutdownReason?.ReplyText ?? refused.Message}. "
        + "Run deploy, which grants it; if its step is gone for good, delete the queue.";

    /// <summary>The queue has more messages than a look holds.</summary>
    public static string TooLong(string queue) =>
        $"Queue {queue} has more messages than are looked through at once: "
        + "raise Failures__LookLimit, or redrive or archive some of them.";

    /// <summary>The broker does not answer.</summary>
    public static string Away(string queue, Exception fault, RabbitMqOptions options) =>
        $"Queue {queue} cannot be looked through now: {BrokerFault.Describe(fault, options)}.";
}
