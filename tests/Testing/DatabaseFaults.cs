using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Orders.Testing;

/// <summary>The faults of the database that any host in this process has counted since it was created: how a test sees that something waits.</summary>
public sealed class DatabaseFaults : IDisposable
{
    private readonly ConcurrentDictionary<string, int> _states = new();
    private readonly MeterListener _listener = new();

    /// <summary>Begins to listen.</summary>
    public DatabaseFaults()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "orders.database.faults")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            foreach (var (name, value) in tags)
            {
                if (name == "sqlstate")
                    _states.AddOrUpdate((string)value!, (int)count, (_, before) => before + (int)count);
            }
        });
        _listener.Start();
    }

    /// <summary>How many of a SQLSTATE.</summary>
    public int Of(string state) => _states.GetValueOrDefault(state);

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();
}
