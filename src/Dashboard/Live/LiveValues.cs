using Orders.Dashboard.Viewing;
using Orders.Dashboard.Waiting;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Live;

/// <summary>
/// The texts and colours of the live figures. The pages write them when they are rendered, the stream sends those that
/// change: both from here, so they cannot differ.
/// </summary>
internal static class LiveValues
{
    public static Dictionary<string, string> Of(Snapshot snapshot)
    {
        var all = snapshot.Steps.GetValueOrDefault("");
        var values = new Dictionary<string, string>
        {
            ["rate"] = Texts.Rate((all?.Finished ?? 0) / Feed.Window.TotalSeconds),
            ["dead-letters"] = Texts.Count(
                (long)Math.Ceiling((all?.DeadLettered ?? 0) * 60 / Feed.Window.TotalSeconds)
            ),
            ["run"] = Pair(all?.Run),
            ["queue"] = Pair(all?.Queue),
            ["total"] = Pair(all?.Total),
            ["retry"] = PutOff(snapshot, isRetry: true),
            ["deferred"] = PutOff(snapshot, isRetry: false),
            ["failures:badge"] = snapshot.Queues.Where(q => q.HoldsDeadLetters).Sum(q => q.Figures.Ready)
                is > 0
                    and var deadLettered
                ? Texts.Count(deadLettered)
                : "",
            ["waiting"] = Texts.Count(snapshot.Queues.Where(q => !q.HoldsDeadLetters).Sum(q => q.Figures.Ready)),
        };
        if (snapshot.Outbox is { } outbox)
        {
            values["outbox:late"] = Texts.Count(outbox.Late, OutboxReader.MostCounted);
            values["outbox:oldest"] = Texts.Duration(outbox.OldestDue is { } due ? snapshot.At - due : null);
            values["outbox:delayed"] = Texts.Count(outbox.Delayed, OutboxReader.MostCounted);
            values["outbox:quarantined"] = Texts.Count(outbox.Quarantined, OutboxReader.MostCounted);
            values["outbox:badge"] =
                outbox.Late + outbox.Quarantined == 0
                    ? ""
                    : Texts.Count(outbox.Late + outbox.Quarantined, OutboxReader.MostCounted);
        }

        foreach (var queue in snapshot.Queues)
        {
            var (name, figures) = ($"q:{queue.Name}:", queue.Figures);
            values[name + "state"] = queue.State.Word;
            values[name + "ready"] = Texts.Count(figures.Ready);
            values[name + "held"] = Texts.Count(figures.Unacknowledged);
            values[name + "in"] = Texts.Rate(figures.InPerSecond);
            values[name + "out"] = Texts.Rate(figures.OutPerSecond);
            values[name + "p95"] = Texts.Duration(snapshot.Steps.GetValueOrDefault(queue.Name)?.Run.P95);
            values[name + "retry"] = queue.HoldsDeadLetters ? Texts.None : queue.Waiting?.RetryText ?? "0";
            values[name + "deferred"] = queue.HoldsDeadLetters ? Texts.None : queue.Waiting?.DeferredText ?? "0";
            values[name + "failed"] = queue.HoldsDeadLetters ? Texts.None : Texts.Count(queue.Failed);
            values[name + "oldest"] =
                figures.Ready == 0 ? Texts.None
                : queue.Oldest is { } age ? Texts.Duration(age)
                : "?";
            values[name + "clears"] = queue.Forecast;
            values[name + "workers"] = Texts.Count(figures.Consumers);
        }

        return values;
    }

    private static string PutOff(Snapshot snapshot, bool isRetry) =>
        StepWaiting.Text(
            snapshot
                .Waiting.Values.SelectMany(w => w.Parts)
                .Where(p => p.Cause == WaitingMessages.Redelivery == isRetry)
        );

    private static string Pair(Percentiles? of) =>
        of is { P50: { } p50, P95: { } p95 } ? $"{Texts.Duration(p50)} · {Texts.Duration(p95)}" : Texts.None;

    public static Dictionary<string, string> ColoursOf(Snapshot snapshot)
    {
        var states = snapshot.Queues.ToDictionary(q => $"q:{q.Name}", q => q.State.State);
        states["dead-letters"] = snapshot.Steps.GetValueOrDefault("")?.DeadLettered > 0 ? "bad" : "";
        states["retry"] = snapshot.Waiting.Values.Any(w => w.Late is not null) ? "warn" : "";
        states["outbox:late"] = snapshot.Outbox?.Late > 0 ? "warn" : "";
        states["outbox:quarantined"] = snapshot.Outbox?.Quarantined > 0 ? "bad" : "";
        return states;
    }
}
