using System.Collections.Immutable;
using Orders.Dashboard.Waiting;
using QueueWorkers.Monitoring;
using QueueWorkers.Topology;

namespace Orders.Dashboard.Live;

/// <summary>
/// What the dashboard knew at one moment. Never changed: every viewer may hold it as long as it needs.
/// </summary>
internal sealed record Snapshot
{
    /// <summary>Counts the snapshots.</summary>
    public long Version { get; init; }

    /// <summary>When it was taken.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The queues; the last known ones while the broker is away.</summary>
    public ImmutableArray<QueueState> Queues { get; init; } = [];

    /// <summary>Why the broker's figures are old; null while they are fresh.</summary>
    public string? BrokerFault { get; init; }

    /// <summary>The outbox; null until it was read.</summary>
    public OutboxFigures? Outbox { get; init; }

    /// <summary>The steps over <see cref="Feed.Window"/>, by name; all together under the empty name.</summary>
    public IReadOnlyDictionary<string, StepFigures> Steps { get; init; } =
        ImmutableDictionary<string, StepFigures>.Empty;

    /// <summary>Pauses, breakers and gaps; the last known ones while PostgreSQL is away.</summary>
    public Standing Standing { get; init; } = Standing.Clear;

    /// <summary>What waits in the outbox for its step, by step; the last known while PostgreSQL is away.</summary>
    public IReadOnlyDictionary<string, StepWaiting> Waiting { get; init; } =
        ImmutableDictionary<string, StepWaiting>.Empty;

    /// <summary>What is wrong with queues, exchanges and bindings, and what was lately.</summary>
    public IReadOnlyList<TopologyFinding> Topology { get; init; } = [];

    /// <summary>Why PostgreSQL's figures are old; null while they are fresh.</summary>
    public string? DatabaseFault { get; init; }

    /// <summary>
    /// The charts' points of the last two minutes: second, finished a second, dead-lettered a second, and p50, p95, p99
    /// of the run time of one attempt in ms.
    /// </summary>
    public ImmutableArray<double?[]> Points { get; init; } = [];

    /// <summary>The texts of all live figures, by their key on the pages.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The states of what has a colour, likewise.</summary>
    public IReadOnlyDictionary<string, string> Colours { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The queue of a step or of any other name; null when the broker has none.</summary>
    public QueueState? Queue(string name) => Queues.FirstOrDefault(q => q.Name == name);
}
