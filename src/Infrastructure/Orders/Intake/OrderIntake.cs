using System.Collections.Concurrent;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure.Telemetry;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;

namespace Orders.Infrastructure.Intake;

/// <summary>
/// Stores posted orders. Promise: when <see cref="AcceptAsync"/> returns <see cref="IntakeOutcome.Accepted"/>, the
/// order, its lines and its message to the steps are committed together; when it throws, the caller must not claim
/// either way (a lost connection leaves the outcome open: answer 503; the same Idempotency-Key finds out).
/// Requests that are there at the same moment share one commit.
/// </summary>
public sealed class OrderIntake(
    NpgsqlDataSource database,
    RelayFeed relay,
    PersonalDataHash personal,
    DuplicateEvidence? duplicates = null,
    OrderMetrics? metrics = null
) : GroupCommitter<NewOrder, IntakeResult>
{
    private readonly ConcurrentDictionary<(string Client, string Key), byte> _inFlight = new();
    private readonly CustomerFairness _lanes = new();

    /// <summary>Stores an order.</summary>
    /// <exception cref="NpgsqlException">The database refused or was not there; see
    /// <see cref="DatabaseFault.IsUnavailable"/>.</exception>
    public async Task<IntakeResult> AcceptAsync(NewOrder order)
    {
        if (order.IdempotencyKey is not { } key)
            return await CommitAsync(order);

        var slot = (order.ClientId, key);
        if (!_inFlight.TryAdd(slot, 0))
            return new IntakeResult(IntakeOutcome.KeyInFlight, null);
        try
        {
            return await CommitAsync(order);
        }
        finally
        {
            _inFlight.TryRemove(slot, out _);
        }
    }

    /// <summary>Whether this process is storing an order under a key at this moment.</summary>
    internal bool IsInFlight(KeyUse use) => _inFlight.ContainsKey((use.ClientId, use.Key));

    /// <inheritdoc />
    protected override async Task<IntakeResult[]> WriteAsync(IReadOnlyList<NewOrder> units)
    {
        var messages = units.Select(MessageOf).ToArray();
        var results = await OrderIntakeSql.InsertAsync(database, units, messages, WaitsBriefly);

        // After the commit only. Dying before this line costs a few seconds: the rows' lease ends and another relay
        // sends them.
        for (var i = 0; i < units.Count; i++)
        {
            if (results[i].Outcome == IntakeOutcome.Accepted)
            {
                relay.Offer(messages[i]);
                metrics?.Accepted(units[i].Premium);
            }
            else if (results[i].Outcome == IntakeOutcome.Replayed)
            {
                duplicates?.AddRepeatedPost(results[i].Order!.Id);
                metrics?.Repeated();
            }
        }

        return results;
    }

    /// <inheritdoc />
    protected override string SpanName => "commit order";

    /// <inheritdoc />
    protected override bool IsUnitFault(Exception exception) => DatabaseFault.IsUnitFault(exception);

    private OutboxMessage MessageOf(NewOrder order) =>
        OutgoingMessage.Create(
            new OrderAccepted(order.Id, order.Premium, order.CreatedAt),
            order.Id,
            activity: order.Trace,
            dueAt: order.ReleaseAt,
            id: OutgoingMessage.IdOf<OrderAccepted>(order.Id),
            keys: OrderKeys.Of(personal, order.CustomerEmail),
            priority: _lanes.PriorityOf(
                order,
                OrderPriority.Of(order.Premium, released: order.ReleaseAt > order.CreatedAt)
            )
        );
}
