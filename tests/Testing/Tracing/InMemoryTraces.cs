using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Trace;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Telemetry;

namespace Orders.Testing.Tracing;

/// <summary>
/// Traces this process as a host does that exports: same sources, same filters, same sampler; what is exported stays in
/// memory.
/// </summary>
public sealed class InMemoryTraces : IDisposable
{
    private readonly ConcurrentQueue<SeenSpan> _spans = new();
    private readonly TracerProvider _provider;

    /// <summary>Begins to trace.</summary>
    /// <param name="root">Which new traces are sampled; null for all.</param>
    public InMemoryTraces(Sampler? root = null) =>
        _provider = Sdk.CreateTracerProviderBuilder()
            .AddQueueWorkersSpans()
            .AddMaskedSpans()
            .SetSampler(new ParentBasedSampler(root ?? new AlwaysOnSampler()))
            .AddProcessor(new SimpleActivityExportProcessor(new Exporter(_spans)))
            .Build();

    /// <summary>The spans so far.</summary>
    public IReadOnlyList<SeenSpan> Spans => [.. _spans];

    /// <inheritdoc />
    public void Dispose() => _provider.Dispose();

    private sealed class Exporter(ConcurrentQueue<SeenSpan> spans) : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var activity in batch)
                spans.Enqueue(SeenSpan.Of(activity));
            return ExportResult.Success;
        }
    }
}
