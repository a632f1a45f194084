using Npgsql;
using Orders.Infrastructure.Feeding;
using QueueWorkers.Bulk;
using QueueWorkers.Outbox;
using QueueWorkers.Replays;

namespace Orders.Infrastructure.Bulk;

/// <summary>
/// Feeds a step with chosen orders, by the messages of <see cref="OrderReplays"/>. A replay of the whole past, with more
/// orders than anybody rehearses, is <see cref="ReplayService"/>'s.
/// </summary>
public sealed class ReplayStep(OrderReplays replays) : IBulkKind
{
    /// <summary>The name of the kind.</summary>
    public const string KindName = "replay-step";

    /// <inheritdoc />
    public string Name => KindName;

    /// <inheritdoc />
    public int Portion => 100;

    /// <inheritdoc />
    public int PerSecond => 50;

    /// <inheritdoc />
    public async Task<BulkSelection> SelectAsync(BulkRequest request, CancellationToken cancellationToken)
    {
        if (request.Step is not { } step)
            throw new BulkRefusedException("invalid-step", "step must name the step that is replayed.");
        var choice = ChosenOrders.Read(request.Filter);
        try
        {
            await replays.CheckAsync(step, "{}", cancellationToken);
        }
        catch (ReplayRefusedException refused)
        {
            throw new BulkRefusedException("invalid-step", refused.Message);
        }

        return new BulkSelection(
            choice.ToJson(),
            async (connection, id, token) =>
            {
                var (matched, untouched) = await ChosenOrders.ChooseAsync(
                    connection,
                    id,
                    choice,
                    step,
                    ChosenOrders.WhyNotReplayed,
                    token
                );
                return new BulkRehearsal(
                    matched,
                    untouched,
                    [
                        $"{step} gets one message for each order, behind everything that customers wait for.",
                        $"What {step} does outside happens once for each order: a copy of what is under way is dropped.",
                    ]
                );
            }
        );
    }

    /// <inheritdoc />
    public async Task<BulkPortion> DoAsync(
        NpgsqlConnection connection,
        BulkAction action,
        IReadOnlyList<Guid> targets,
        CancellationToken cancellationToken
    )
    {
        var made = await replays.OfAsync(
            connection,
            action.Step!,
            targets,
            OrderChoice.Parse(action.Filter),
            cancellationToken
        );
        OutboxMessage[] messages = [.. made.Select(m => m.Message).OfType<OutboxMessage>()];
        await OutboxWriter.InsertAsync(connection, messages, cancellationToken);
        return new BulkPortion(
            [
                .. made.Select(m => new BulkSettled(
                    m.Order,
                    m.Message is null ? BulkItemState.Skipped : BulkItemState.Done,
                    m.WhyNot
                )),
            ],
            messages
        );
    }
}
