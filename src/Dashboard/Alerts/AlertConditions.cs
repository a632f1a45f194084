using Orders.Dashboard.Live;
using Orders.Dashboard.Viewing;
using Orders.Dashboard.Waiting;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>What rules find in a snapshot.</summary>
internal static class AlertConditions
{
    // Of fewer runs than this no share is made: one failure in two runs is no rate.
    private const int FewestRuns = 20;

    public static IReadOnlyList<AlertCondition> In(Snapshot now, IReadOnlyList<AlertRule> rules) =>
        [.. rules.Where(r => r.Enabled).SelectMany(rule => Of(rule, now)).DistinctBy(c => (c.Rule, c.Subject))];

    private static IEnumerable<AlertCondition> Of(AlertRule rule, Snapshot now)
    {
        // Old figures neither raise an alert about queues nor end one: see AlertService.
        var queues = now.Queues.Where(q => !q.HoldsDeadLetters);
        return rule.Kind switch
        {
            AlertKind.BrokerAway when now.BrokerFault is not null => [new(rule.Name, "", now.BrokerFault, "/queues")],
            AlertKind.FailureRate => now
                .Steps.Values.Where(s =>
                    s.Step != ""
                    && s.Finished + s.DeadLettered >= FewestRuns
                    && s.DeadLettered > rule.Threshold * (s.Finished + s.DeadLettered)
                )
                .Select(s => new AlertCondition(
                    rule.Name,
                    s.Step,
                    $"{Texts.Percent(s.DeadLettered / (double)(s.Finished + s.DeadLettered))} of the runs of step {s.Step} end dead-lettered.",
                    $"/queues/{s.Step}"
                )),
            AlertKind.OldestMessage => queues
                .Where(q => q.Oldest?.TotalSeconds > rule.Threshold)
                .Select(q => new AlertCondition(
                    rule.Name,
                    q.Name,
                    $"The oldest message of queue {q.Name} has waited more than {Texts.Duration(TimeSpan.FromSeconds(rule.Threshold))}.",
                    $"/queues/{q.Name}"
                )),
            // What waits for a paused step is meant to wait. A moment in which all are being tried ends nothing.
            // The sentence is kept and sent: a fault may hold what a person wrote, and stays where erasures find it.
            AlertKind.WaitingRetries => now
                .Waiting.Values.Where(w => !now.Standing.Paused.ContainsKey(w.Step))
                .Select(w => (Now: w, Late: w.Late ?? w))
                .Where(w =>
                    w.Late.IsRequired && (w.Late.IsLimited || (now.At - w.Late.Since)?.TotalSeconds > rule.Threshold)
                )
                .Select(w => new AlertCondition(
                    rule.Name,
                    w.Now.Step,
                    WaitingSays(w.Late, w.Now, TimeSpan.FromSeconds(rule.Threshold), now),
                    $"/queues/{w.Now.Step}"
                )),
            AlertKind.BacklogGrowth => queues
                .Where(q => q.IsGrowing && q.Growth > rule.Threshold)
                .Select(q => new AlertCondition(
                    rule.Name,
                    q.Name,
                    $"The backlog of queue {q.Name} grows: messages arrive faster than its workers can process them.",
                    $"/queues/{q.Name}"
                )),
            AlertKind.NoConsumers => queues
                .Where(q => q is { Figures.Consumers: 0, Paused: false, Lacks: null })
                .Select(q => new AlertCondition(
                    rule.Name,
                    q.Name,
                    $"No worker of step {q.Name} is connected.",
                    $"/queues/{q.Name}"
                )),
            AlertKind.BreakerOpen => now
                .Standing.Down.Where(d => d.State == BreakerState.Open)
                .Select(d => new AlertCondition(
                    rule.Name,
                    d.Name,
                    $"{d.Name} is down: {d.Reason.TrimEnd('.')}. Steps that need it wait: {string.Join(", ", d.Steps)}.",
                    "/workers"
                )),
            AlertKind.CompletenessGap when now.Standing.Gaps >= Math.Max(1, rule.Threshold) =>
            [
                new(
                    rule.Name,
                    "",
                    $"{Texts.Count(now.Standing.Gaps, BlockerReader.MostCounted)} accepted orders lack an effect after their deadline, or have one twice.",
                    "/"
                ),
            ],
            AlertKind.OutboxLag
                when now.Outbox is { OldestDue: { } due } && now.At - due > TimeSpan.FromSeconds(rule.Threshold) =>
            [
                new(
                    rule.Name,
                    "",
                    $"Messages have been late in the outbox for more than {Texts.Duration(TimeSpan.FromSeconds(rule.Threshold))}.",
                    "/outbox"
                ),
            ],
            // What a payload holds was written by a person, and stays where the schedule is.
            AlertKind.UnusableSchedules => now.Standing.Schedules.Select(s => new AlertCondition(
                rule.Name,
                s.Name,
                $"Schedule {s.Name} does not fire. {s.Action}",
                $"/schedules/{s.Name}"
            )),
            AlertKind.Topology => now.Topology.Select(f => new AlertCondition(rule.Name, f.Queue, f.Says, "/queues")),
            AlertKind.DeadLetters => now
                .Queues.Where(q => q.HoldsDeadLetters && q.Figures.Ready >= Math.Max(1, rule.Threshold))
                .Select(q => new AlertCondition(
                    rule.Name,
                    q.Name,
                    $"Messages stand in queue {q.Name} and wait for an operator.",
                    Page.Address("/failures", ("queue", q.Name))
                )),
            _ => [],
        };
    }

    private static string WaitingSays(StepWaiting late, StepWaiting now, TimeSpan age, Snapshot snapshot) =>
        $"{late.CountText} {(late.Count == 1 ? "message" : "messages")} of step {now.Step} {(late.Count == 1 ? "waits for its" : "wait for their")} next attempt"
        + (late.IsLimited ? "" : $", the oldest for more than {Texts.Duration(age)}")
        + $" ({late.CausesText}). Forecast: {now.ForecastOrTried(snapshot.Standing.DownFor(now.Step))}.";
}
