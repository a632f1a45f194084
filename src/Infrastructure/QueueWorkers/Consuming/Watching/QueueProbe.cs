using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Consuming.Watching;

/// <summary>Asks the broker why a step does not consume. Reads only.</summary>
internal sealed class QueueProbe(BrokerConnection broker, RabbitMqOptions rabbit)
{
    /// <summary>Nothing has come for a while: is there anything?</summary>
    public async Task<(NotConsuming Cause, string Reason)> CountAsync(
        string step,
        TimeSpan quiet,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // During an alarm the broker does not read from connections that have published; from others it does.
            await using var own = broker.IsBlocked ? await OpenOwnAsync(cancellationToken) : null;
            var connection = own ?? await broker.OpenAsync(cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            return (await channel.QueueDeclarePassiveAsync(step, cancellationToken)).MessageCount is > 0 and var waiting
                ? (
                    NotConsuming.Stuck,
                    $"Queue {step} holds {waiting} messages, and none has come to this worker for {quiet} or more."
                )
                : (NotConsuming.No, "");
        }
        catch (OperationInterruptedException missing) when (missing.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return (NotConsuming.Stuck, $"Queue {step} does not exist; run `deploy`.");
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or TimeoutException)
        {
            return Explain(exception);
        }
    }

    /// <summary>
    /// The step is not subscribed. A connection of its own tells why: the one that the step has lost says nothing any
    /// more.
    /// </summary>
    public async Task<(NotConsuming Cause, string Reason)> ConnectAsync(
        string step,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var connection = await OpenOwnAsync(cancellationToken);
            return (
                NotConsuming.Stuck,
                $"RabbitMQ takes connections, and step {step} is not subscribed to its queue; the log says why."
            );
        }
        catch (Exception exception) when (exception is RabbitMQClientException or IOException or TimeoutException)
        {
            return Explain(exception);
        }
    }

    private Task<IConnection> OpenOwnAsync(CancellationToken cancellationToken) =>
        BrokerConnection
            .CreateFactory(rabbit)
            .CreateConnectionAsync($"{AppDomain.CurrentDomain.FriendlyName} health", cancellationToken);

    private (NotConsuming, string) Explain(Exception exception) =>
        (
            BrokerFault.IsRefusedLogin(exception) ? NotConsuming.Refused
            : BrokerFault.IsSilent(exception) ? NotConsuming.Hanging
            : NotConsuming.Unreachable,
            $"{BrokerFault.Describe(exception, rabbit)}."
        );
}

/// <summary>Why a step does not consume.</summary>
internal enum NotConsuming
{
    /// <summary>It consumes, or has nothing to consume.</summary>
    No,

    /// <summary>The broker refuses the process.</summary>
    Refused,

    /// <summary>The broker answers, and nothing is consumed.</summary>
    Stuck,

    /// <summary>
    /// The connection hangs: it is there, or is made, and nothing comes back. Whether the broker, the network or this
    /// process is at fault cannot be told from here; a new process begins with new connections.
    /// </summary>
    Hanging,

    /// <summary>The broker cannot be reached: a new process could not reach it either.</summary>
    Unreachable,
}
