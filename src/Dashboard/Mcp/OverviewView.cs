using Orders.Dashboard.Live;

namespace Orders.Dashboard.Mcp;

/// <summary>The overview page in words.</summary>
/// <param name="At">When it was true.</param>
/// <param name="Attention">What an operator should look at, the worst first; empty when all is well.</param>
/// <param name="Queues">The queues.</param>
/// <param name="Stale">Whose figures are old, and since when; empty when all are fresh.</param>
internal sealed record OverviewView(
    DateTimeOffset At,
    IEnumerable<AttentionView> Attention,
    IEnumerable<QueueView> Queues,
    IEnumerable<string> Stale
)
{
    /// <summary>What a snapshot says.</summary>
    public static OverviewView Of(Snapshot snapshot) =>
        new(
            snapshot.At,
            Overview
                .Attention.In(snapshot)
                .Select(a => new AttentionView(a.State == "bad" ? "error" : "warning", a.Word, a.What, a.Sentence)),
            QueuesOf(snapshot),
            new[] { snapshot.BrokerFault, snapshot.DatabaseFault }.OfType<string>()
        );

    /// <summary>Its queues.</summary>
    public static IEnumerable<QueueView> QueuesOf(Snapshot snapshot) =>
        snapshot.Queues.Select(q => new QueueView(
            q.Name,
            q.State.Word,
            q.Figures.Ready,
            q.Figures.Unacknowledged,
            q.Waiting?.Retry ?? 0,
            q.Waiting?.Deferred ?? 0,
            q.Figures.InPerSecond,
            q.Figures.OutPerSecond,
            q.Figures.Consumers,
            q.Oldest?.TotalSeconds,
            q.Forecast
        ));
}

/// <summary>Something to look at.</summary>
/// <param name="Severity"><c>error</c> or <c>warning</c>.</param>
/// <param name="Kind">In a word.</param>
/// <param name="What">What it is about: a step, a queue, a host.</param>
/// <param name="Reason">What is the matter.</param>
internal sealed record AttentionView(string Severity, string Kind, string What, string Reason);

/// <summary>A queue.</summary>
/// <param name="Name">Its name: that of its step.</param>
/// <param name="State">In a word.</param>
/// <param name="Ready">Messages that wait.</param>
/// <param name="InProgress">Messages that workers hold.</param>
/// <param name="WaitingForRetry">Messages in the outbox whose last attempt failed.</param>
/// <param name="Deferred">Messages in the outbox that were put off without an attempt.</param>
/// <param name="InPerSecond">Messages in, a second.</param>
/// <param name="OutPerSecond">Messages done, a second.</param>
/// <param name="Workers">Worker processes that consume it.</param>
/// <param name="OldestSeconds">How long the oldest waiting message has been there; null when none waits.</param>
/// <param name="Forecast">When the backlog will be gone, or what it takes.</param>
internal sealed record QueueView(
    string Name,
    string State,
    long Ready,
    long InProgress,
    long WaitingForRetry,
    long Deferred,
    double InPerSecond,
    double OutPerSecond,
    int Workers,
    double? OldestSeconds,
    string Forecast
);
