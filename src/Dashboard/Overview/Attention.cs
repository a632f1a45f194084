using Orders.Dashboard.Live;
using Orders.Dashboard.Viewing;
using Orders.Dashboard.Waiting;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Overview;

/// <summary>Something that an operator should look at first.</summary>
/// <param name="State">Its colour.</param>
/// <param name="Word">Its word.</param>
/// <param name="What">What it is about.</param>
/// <param name="Sentence">What is the matter.</param>
/// <param name="Link">The page that explains it.</param>
/// <param name="LinkText">What that page is.</param>
/// <param name="Weight">How many orders or messages it concerns: the heaviest comes first.</param>
internal sealed record Attention(
    string State,
    string Word,
    string What,
    string Sentence,
    string Link,
    string LinkText,
    long Weight
)
{
    private const int Most = 5;

    private const int LongestFault = 200;

    /// <summary>What a snapshot gives reason for, red before amber, the heaviest first, at most five.</summary>
    public static IReadOnlyList<Attention> In(Snapshot snapshot) =>
        [.. All(snapshot).OrderByDescending(a => a.State == "bad").ThenByDescending(a => a.Weight).Take(Most)];

    // The number, since when, why, and when it is over. Of what waits now, as the step's page has it; of the last ones
    // that waited when all of them are being tried.
    private static string SentenceOf(StepWaiting late, StepWaiting now, Snapshot snapshot)
    {
        var (wait, their) = (late.Count == 1, now.Count) switch
        {
            (true, 0) => ("has waited", "its"),
            (false, 0) => ("have waited", "their"),
            (true, _) => ("waits", "its"),
            _ => ("wait", "their"),
        };
        var since = snapshot.At - late.Since is { } age ? $" since {Texts.Duration(age)}" : "";
        var down = snapshot.Standing.DownFor(late.Step);
        string?[] reasons =
        [
            late.LastFault is { } fault ? $"last fault: {Short(fault)}" : null,
            down is null ? null : BreakerOf(down, late.LastFault is null),
            // The oldest was tried again meanwhile, or it is a trial of a breaker: what is left waits for a moment only.
            now.Count > 0
            && now.Late is { } before
            && before.At < now.At
            && before.At - before.Since is { } waited
                ? $"a moment ago the oldest had waited for {Texts.Duration(waited)}"
                : null,
        ];
        var because = string.Concat(reasons.Where(r => r is not null).Select(r => $"; {r}"));
        return $"{late.CountText} {(late.Count == 1 ? "message" : "messages")} {wait} for {their} next attempt{since} ({late.CausesText}){because}. Forecast: {now.ForecastOrTried(down)}.";
    }

    private static string BreakerOf(DownDependency down, bool withReason) =>
        $"breaker of {down.Name} {(down.State == BreakerState.Open ? "open" : "half open")}{(withReason ? $" ({Short(down.Reason)})" : "")}";

    // Who waits for it, with how many messages, and why.
    private static string DownSentence(DownDependency down, long held)
    {
        var (who, one) = down.Steps.Count switch
        {
            0 => ("its steps", false),
            1 => (down.Steps[0], true),
            _ => (string.Join(", ", down.Steps), false),
        };
        var messages = held == 0 ? "" : $" with {Texts.Many(held, "message")}";
        return $"{who} {(one ? "waits" : "wait")}{messages}, and {(one ? "uses" : "use")} up no attempt: {Short(down.Reason)}.";
    }

    private static string Short(string fault)
    {
        var line = fault.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return line.Length <= LongestFault ? line : $"{line[..LongestFault]}…";
    }

    private static IEnumerable<Attention> All(Snapshot snapshot)
    {
        if (snapshot.Outbox is { Quarantined: > 0 } quarantine)
            yield return new(
                "bad",
                "Not sent",
                "outbox",
                $"{Texts.Count(quarantine.Quarantined, OutboxReader.MostCounted)} messages could not be sent and wait for an operator.",
                "/outbox?part=Quarantine",
                "See the quarantine",
                quarantine.Quarantined
            );
        if (snapshot.Outbox is { Late: > 0, OldestDue: { } due } late && snapshot.At - due > TimeSpan.FromSeconds(10))
            yield return new(
                "warn",
                "Late",
                "outbox",
                $"{Texts.Count(late.Late, OutboxReader.MostCounted)} messages should have left; the oldest was due {Texts.Duration(snapshot.At - due)} ago.",
                "/outbox",
                "See the outbox",
                late.Late
            );
        if (snapshot.Standing.Gaps is > 0 and var gaps)
            yield return new(
                "bad",
                "Incomplete",
                "orders",
                $"{Texts.Count(gaps, BlockerReader.MostCounted)} lack an effect after their deadline, or have one twice.",
                "/orders?status=NeedsAttention",
                "See the orders",
                gaps
            );
        foreach (var down in snapshot.Standing.Down)
        {
            var held = down.Steps.Sum(step => snapshot.Queue(step)?.Figures.Ready ?? 0);
            yield return new("bad", "Down", down.Name, DownSentence(down, held), "/workers", "See the breakers", held);
        }

        if (snapshot.Standing.Connections is { } connections)
        {
            if (connections.IsHigh)
                yield return new(
                    "bad",
                    "Connections",
                    "database",
                    $"{connections.InUse} of {connections.Budget.Limit} connections are open; soon new ones are refused.",
                    "/workers",
                    "See the workers",
                    connections.InUse
                );
            else if (connections.Excess is { } excess)
                yield return new("warn", "Connections", "database", $"{excess}.", "/workers", "See the workers", 0);
        }

        foreach (var (step, paused) in snapshot.Standing.Paused)
            yield return new(
                "warn",
                "Paused",
                step,
                $"by {paused.By} at {Texts.Utc(paused.At)}: {paused.Reason}",
                "/workers",
                "See the steps",
                snapshot.Queue(step)?.Figures.Ready ?? 0
            );
        // What waits for a paused step is said above.
        foreach (var waiting in snapshot.Waiting.Values.Where(w => !snapshot.Standing.Paused.ContainsKey(w.Step)))
        {
            if (waiting.Late is { } before)
            {
                var seen = waiting.Count == 0 ? before : waiting;
                yield return new(
                    "warn",
                    waiting.Word,
                    waiting.Step,
                    SentenceOf(seen, waiting, snapshot),
                    $"/queues/{waiting.Step}",
                    "See the queue",
                    seen.Count
                );
            }
        }

        foreach (var worker in snapshot.Standing.Drained)
            yield return new(
                "warn",
                "Drained",
                worker.Host,
                $"by {worker.By} at {Texts.Utc(worker.At)}: {worker.Reason}",
                $"/workers/{worker.Id}",
                "See the worker",
                0
            );
        foreach (var worker in snapshot.Standing.Lost)
            yield return new(
                "warn",
                "Lost",
                worker.Host,
                $"{string.Join(", ", worker.Steps)}: no report since {Texts.Utc(worker.SeenAt)}. It died, or it cannot reach or log in to the database; ./dev health says which.",
                $"/workers/{worker.Id}",
                "See the worker",
                0
            );
        foreach (var schedule in snapshot.Standing.Schedules)
            yield return new(
                "bad",
                "Unusable",
                schedule.Name,
                schedule.Reason.Length <= LongestFault
                    ? schedule.Reason
                    : $"{schedule.Reason[..LongestFault]}… {schedule.Action}",
                $"/schedules/{schedule.Name}",
                "See the schedule",
                0
            );
        foreach (var finding in snapshot.Topology)
            yield return new(
                finding.IsOpen ? "bad" : "warn",
                "Topology",
                finding.Queue,
                finding.Says,
                "/queues",
                "See the queues",
                long.MaxValue
            );
        if (snapshot.BrokerFault is not null)
            yield break;

        foreach (var queue in snapshot.Queues)
        {
            var (ready, link) = (queue.Figures.Ready, $"/queues/{queue.Name}");
            if (queue.HoldsDeadLetters)
            {
                if (ready > 0)
                    yield return new(
                        "bad",
                        "Failing",
                        queue.Name,
                        $"{Texts.Many(ready, "message")} could not be processed and {(ready == 1 ? "waits" : "wait")} for an operator.",
                        Page.Address("/failures", ("queue", queue.Name)),
                        "See the failures",
                        ready
                    );
            }
            else if (queue is { Paused: true } or { Lacks: not null })
            {
                // Said above.
            }
            else if (queue.Figures.Consumers == 0)
            {
                yield return new(
                    ready > 0 ? "bad" : "warn",
                    "No workers",
                    queue.Name,
                    ready > 0
                        ? $"{Texts.Many(ready, "message")} and nobody to process {(ready == 1 ? "it" : "them")}."
                        : "nobody would process a message.",
                    link,
                    "See the queue",
                    ready
                );
            }
            else if (queue.IsGrowing)
            {
                yield return new(
                    "warn",
                    "Backlog grows",
                    queue.Name,
                    $"messages arrive faster than {Texts.Many(queue.Figures.Consumers, "worker")} can process them{(queue.Needs is { } more ? $": about {more} more would keep up" : "")}.",
                    link,
                    "See the queue",
                    ready
                );
            }
            else if (queue.Oldest > TimeSpan.FromMinutes(1))
            {
                yield return new(
                    "bad",
                    "Late",
                    queue.Name,
                    $"the oldest of {Texts.Many(ready, "message")} has waited {Texts.Duration(queue.Oldest)}.",
                    link,
                    "See the queue",
                    ready
                );
            }
        }
    }
}
