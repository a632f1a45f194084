using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Orders.Infrastructure.Tests.Telemetry;

/// <summary>The series of the meters of one factory: other fixtures measure in the same process.</summary>
internal sealed class SeriesRecorder : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Instrument, string Labels), double> _series = new();

    public SeriesRecorder()
    {
        Meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == Meters)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Record(i, value, tags));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Record(i, value, tags));
        _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Record(i, value, tags));
        _listener.Start();
    }

    public IMeterFactory Meters { get; }

    /// <summary>The series of an instrument: labels and the sum, or last value, of what was measured.</summary>
    public IReadOnlyDictionary<string, double> Of(string instrument)
    {
        _listener.RecordObservableInstruments();
        return _series
            .Where(s => s.Key.Instrument == instrument)
            .ToDictionary(s => s.Key.Labels, s => s.Value, StringComparer.Ordinal);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>();
        foreach (var (name, label) in tags)
            labels.Add($"{name}={label}");
        _series.AddOrUpdate(
            (instrument.Name, string.Join(',', labels.Order(StringComparer.Ordinal))),
            value,
            (_, known) => instrument.IsObservable ? value : known + value
        );
    }
}
