using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Topology;

/// <summary>
/// Declares what is missing of a queue, and sets and removes its marks. Everything here may be done twice.
/// </summary>
internal sealed class TopologyRepair(
    [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker,
    ILogger<TopologyRepair> logger
)
{
    private readonly HashSet<string> _notFromHere = [];

    /// <summary>Declares what is missing, in the given order.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="missing">What is missing of it.</param>
    /// <param name="isSettled">Whether it has the mark "settled", which is removed first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False when the broker does not let this process do it.</returns>
    public async Task<bool> RepairAsync(
        ExpectedQueue queue,
        IEnumerable<Binding> missing,
        bool isSettled,
        CancellationToken cancellationToken
    )
    {
        try
        {
            // First, so that dying after the repair does not make the loss invisible.
            if (isSettled)
                await UnsettleAsync(queue, cancellationToken);
            foreach (var binding in missing)
                await OnChannelAsync(c => DeclareAsync(c, binding, cancellationToken), cancellationToken);
            return true;
        }
        catch (OperationInterruptedException refused)
            when (refused.ShutdownReason?.ReplyCode is Constants.AccessRefused or Constants.NotFound)
        {
            // The queue's worker may, and does so when it connects.
            if (_notFromHere.Add(queue.Name))
                TopologyLog.CannotRepair(logger, queue.Name, refused.ShutdownReason!.ReplyText);
            return false;
        }
    }

    /// <summary>Sets the mark "begun".</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="isSettled">Whether it has the mark "settled" alone, which is removed first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task BeginAsync(ExpectedQueue queue, bool isSettled, CancellationToken cancellationToken)
    {
        await OnChannelAsync(
            c =>
                c.ExchangeDeclareAsync(
                    TopologyMarks.Exchange,
                    ExchangeType.Direct,
                    durable: true,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );
        if (isSettled)
            await UnsettleAsync(queue, cancellationToken);
        await MarkAsync(TopologyMarks.Begun(queue), cancellationToken);
    }

    /// <summary>Sets the mark "settled".</summary>
    public async Task SettleAsync(ExpectedQueue queue, CancellationToken cancellationToken)
    {
        await MarkAsync(TopologyMarks.Settled(queue), cancellationToken);
        _notFromHere.Remove(queue.Name);
    }

    /// <summary>Removes the mark "settled".</summary>
    public Task UnsettleAsync(ExpectedQueue queue, CancellationToken cancellationToken)
    {
        var mark = TopologyMarks.Settled(queue);
        return OnChannelAsync(
            c =>
                c.QueueUnbindAsync(
                    mark.Destination,
                    mark.Source,
                    mark.RoutingKey,
                    cancellationToken: cancellationToken
                ),
            cancellationToken
        );
    }

    /// <summary>How many messages wait in a queue.</summary>
    public async Task<uint> CountAsync(string queue, CancellationToken cancellationToken)
    {
        uint ready = 0;
        await OnChannelAsync(
            async c => ready = (await c.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount,
            cancellationToken
        );
        return ready;
    }

    private Task MarkAsync(Binding mark, CancellationToken cancellationToken) =>
        OnChannelAsync(
            c => c.QueueBindAsync(mark.Destination, mark.Source, mark.RoutingKey, cancellationToken: cancellationToken),
            cancellationToken
        );

    private static async Task DeclareAsync(IChannel channel, Binding binding, CancellationToken cancellationToken)
    {
        var queue = binding.Destination;
        if (binding.Source == "")
        {
            await QueueDeclaration.DeclareAsync(channel, queue, cancellationToken);
        }
        else if (binding.ToQueue)
        {
            await channel.ExchangeDeclareAsync(
                queue,
                ExchangeType.Fanout,
                durable: true,
                cancellationToken: cancellationToken
            );
            await channel.QueueBindAsync(queue, queue, "", cancellationToken: cancellationToken);
        }
        else
        {
            await channel.ExchangeBindAsync(queue, binding.Source, "", cancellationToken: cancellationToken);
        }
    }

    // A channel each: what the broker refuses closes it.
    private async Task OnChannelAsync(Func<IChannel, Task> action, CancellationToken cancellationToken)
    {
        var connection = await broker.OpenAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await action(channel);
    }
}
