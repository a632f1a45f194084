using Orders.Chaos.Checking;
using Orders.Chaos.Clients;

namespace Orders.Chaos.Collecting;

/// <summary>Puts the five sides of the evidence together.</summary>
public sealed class Collector(DatabaseEvidence database, WorldEvidence world, BrokerEvidence broker)
{
    /// <summary>Reads everything. To be called at rest: what moves meanwhile is seen on one side and not on the other.</summary>
    public async Task<Evidence> ReadAsync(IEnumerable<HistoryEvent> history, int uncertainAllowed = 0, CancellationToken cancellationToken = default)
    {
        var ofWorld = await world.ReadAsync(cancellationToken);
        var ofBroker = await broker.ReadAsync(cancellationToken);
        var ofDatabase = await database.ReadAsync(cancellationToken);
        return ofDatabase with
        {
            Posted = History.Fold(history),
            Mails = ofWorld.Mails,
            WarehouseCalls = ofWorld.WarehouseCalls,
            Waiting = ofBroker.Waiting,
            Parked = [.. ofBroker.Parked, .. ofDatabase.Parked],
            UncertainAllowed = uncertainAllowed,
        };
    }
}
