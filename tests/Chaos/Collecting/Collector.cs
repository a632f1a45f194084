using Orders.Chaos.Checking;
using Orders.Chaos.Clients;

namespace Orders.Chaos.Collecting;

/// <summary>Puts the sides of the evidence together.</summary>
/// <param name="database">What the database holds.</param>
/// <param name="world">The ledgers of mail server and warehouse.</param>
/// <param name="broker">What the broker holds.</param>
/// <param name="redrives">What operators see; null where nobody keeps an index of failures.</param>
public sealed class Collector(DatabaseEvidence database, WorldEvidence world, BrokerEvidence broker, RedriveEvidence? redrives = null)
{
    /// <summary>Reads everything. To be called at rest: what moves meanwhile is seen on one side and not on the other.</summary>
    public async Task<Evidence> ReadAsync(IReadOnlyCollection<HistoryEvent> history, int uncertainAllowed = 0, CancellationToken cancellationToken = default)
    {
        var ofWorld = await world.ReadAsync(cancellationToken);
        var ofBroker = await broker.ReadAsync(cancellationToken);
        var ofDatabase = await database.ReadAsync(cancellationToken);
        var ofOperators = redrives is null ? new Evidence() : await redrives.ReadAsync(cancellationToken);
        return ofDatabase with
        {
            Posted = History.Fold(history),
            Mails = ofWorld.Mails,
            WarehouseCalls = ofWorld.WarehouseCalls,
            ServerErrors = [.. history.Where(e => e.Status == 500).Select(e => e.Key)],
            Waiting = ofBroker.Waiting,
            MissingQueues = ofBroker.MissingQueues,
            Parked = [.. ofBroker.Parked, .. ofDatabase.Parked],
            Index = ofOperators.Index,
            Redrives = ofOperators.Redrives,
            UncertainAllowed = uncertainAllowed,
        };
    }
}
