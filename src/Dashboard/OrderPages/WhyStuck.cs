using Orders.Dashboard.Live;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using QueueWorkers.Monitoring;
using QueueWorkers.Steps;

namespace Orders.Dashboard.OrderPages;

/// <summary>Why an order is not done, in one sentence: the first rule that matches.</summary>
/// <param name="State">Its colour.</param>
/// <param name="Head">In three words.</param>
/// <param name="Sentence">The sentence.</param>
/// <param name="Link">Where to go on; null when there is nothing to do.</param>
/// <param name="LinkText">What is there.</param>
internal sealed record WhyStuck(
    string State,
    string Head,
    string Sentence,
    string? Link = null,
    string? LinkText = null
)
{
    // A run that takes three times what 99 of 100 take; a second at least, for steps that take no time.
    private const double TooLong = 3;

    /// <summary>The reason; null for an order that is done.</summary>
    public static WhyStuck? Of(CaseFile file, Snapshot now, DateTimeOffset at)
    {
        var order = file.Order!;
        if (order.Status is OrderStatus.Completed or OrderStatus.Rejected or OrderStatus.Cancelled)
            return null;
        return BrokerAway(order, now)
            ?? Failed(order)
            ?? Paused(order, now)
            ?? Down(order, now, at)
            ?? NoWorkers(order, now)
            ?? Retrying(order, at)
            ?? Slow(order, now, at)
            ?? NotReleased(order, at)
            ?? NotSent(file, at)
            ?? Queued(order, now);
    }

    private static WhyStuck? Failed(OrderDetails order) =>
        order.Steps.FirstOrDefault(s => s.Status is StepStatus.Failed or StepStatus.Uncertain) switch
        {
            { Status: StepStatus.Failed } s => new(
                "bad",
                "Failed.",
                $"Step {s.Step} failed {Texts.Many(s.Attempts, "time")} and waits for an operator. Its last fault: {s.LastFault}",
                Links.FailuresOf(order.Order),
                "See its failure"
            ),
            { } s => new(
                "bad",
                "Uncertain.",
                $"Step {s.Step} died between the outside system's answer and its own commit: whether the effect happened must be looked up before it is repeated.",
                Links.FailuresOf(order.Order),
                "See its failure"
            ),
            null => null,
        };

    private static WhyStuck? BrokerAway(OrderDetails order, Snapshot now) =>
        now.BrokerFault is null || order.Steps.Any(s => s.Status is StepStatus.Failed or StepStatus.Uncertain)
            ? null
            : new(
                "bad",
                "RabbitMQ is away.",
                "No message reaches a worker until RabbitMQ is back; what this order needs is safe in PostgreSQL.",
                "/outbox",
                "See the outbox"
            );

    private static WhyStuck? Paused(OrderDetails order, Snapshot now) =>
        Startable(order).FirstOrDefault(s => now.Standing.Paused.ContainsKey(s.Step)) is { } step
        && now.Standing.Paused[step.Step] is var paused
            ? new(
                "warn",
                "Step paused.",
                $"{paused.By} paused step {step.Step} at {Texts.Utc(paused.At)}: {paused.Reason}",
                "/workers",
                "See the steps"
            )
            : null;

    private static WhyStuck? Down(OrderDetails order, Snapshot now, DateTimeOffset at) =>
        Startable(order)
            .Select(s => (s.Step, Needs: now.Standing.DownFor(s.Step)))
            .FirstOrDefault(s => s.Needs is not null)
            is (var step, { } down)
            ? new(
                "bad",
                "Dependency down.",
                $"Step {step} needs {down.Name}, which {(down.Forced ? "an operator holds shut" : "is down")}: {down.Reason.TrimEnd('.')}.{(down.RetryAt is { } retry && retry > at ? $" It is tried again in {Texts.Duration(retry - at)}." : "")} No attempt is used up.",
                "/workers",
                "See the breakers"
            )
            : null;

    private static WhyStuck? NoWorkers(OrderDetails order, Snapshot now) =>
        Startable(order).FirstOrDefault(s => now.Queue(s.Step) is { Figures.Consumers: 0 }) is { } step
            ? now.Standing.Drained.Any(w => w.Steps.Contains(step.Step))
                ? new(
                    "bad",
                    "Workers drained.",
                    $"No worker of step {step.Step} takes messages: those that live are drained. Give one back, or start another.",
                    "/workers",
                    "See the workers"
                )
                : new(
                    "bad",
                    "No workers.",
                    $"No worker of step {step.Step} is connected; start one.",
                    $"/queues/{step.Step}",
                    "See the queue"
                )
            : null;

    private static WhyStuck? Retrying(OrderDetails order, DateTimeOffset at) =>
        order.Steps.FirstOrDefault(s => s.Status == StepStatus.Retrying) switch
        {
            null => null,
            // No attempt has failed: what it waits for is no fault of its own.
            { Attempts: 0 } s => new(
                "warn",
                "Deferred.",
                $"Step {s.Step} waits without an attempt{Next(s, at)}. Reason: {s.LastFault}"
            ),
            var s => new(
                "warn",
                "Waits to try again.",
                $"Step {s.Step} has failed {Texts.Many(s.Attempts, "time")}{Next(s, at)}. Last fault: {s.LastFault}"
            ),
        };

    private static string Next(StepRecord step, DateTimeOffset at) =>
        step.NextAttemptAt is not { } next ? ""
        : next > at ? $"; the next attempt is in {Texts.Duration(next - at)}"
        : "; the next attempt is due";

    private static WhyStuck? Slow(OrderDetails order, Snapshot now, DateTimeOffset at)
    {
        foreach (var step in order.Steps.Where(s => s.Status == StepStatus.Running))
        {
            // Not the first attempt: what was waited for between attempts is no run time.
            if ((step.AttemptStartedAt ?? step.StartedAt) is not { } began)
                continue;
            var usual = now.Steps.GetValueOrDefault(step.Step)?.Run.P99 ?? TimeSpan.FromSeconds(10);
            var runs = at - began;
            if (runs > TimeSpan.FromSeconds(Math.Max(1, usual.TotalSeconds * TooLong)))
                return new(
                    "warn",
                    "Runs long.",
                    $"Step {step.Step} has been running for {Texts.Duration(runs)}; 99 of 100 take less than {Texts.Duration(usual)}.",
                    $"/queues/{step.Step}",
                    "See the queue"
                );
        }

        return null;
    }

    private static WhyStuck? NotReleased(OrderDetails order, DateTimeOffset at) =>
        order.Order.ReleaseAt is { } release && release > at
            ? new(
                "calm",
                "Not yet.",
                $"The client asked for it to begin at {Texts.Utc(release)}, in {Texts.Duration(release - at)}."
            )
            : null;

    private static WhyStuck? NotSent(CaseFile file, DateTimeOffset at) =>
        file.Outbox.FirstOrDefault(m => m.DeadAt is not null) is { } dead
            ? new(
                "bad",
                "Not sent.",
                $"A message of this order could not be sent and is in quarantine: {dead.LastError}",
                Page.Address("/outbox", ("part", OutboxPart.Quarantine)),
                "See the quarantine"
            )
        : file.Outbox.FirstOrDefault(m => m.DueAt < at) is { } late
            ? new(
                "warn",
                "Not sent yet.",
                $"A message of this order has been due for {Texts.Duration(at - late.DueAt)} and is still in the outbox.",
                "/outbox",
                "See the outbox"
            )
        : null;

    private static WhyStuck? Queued(OrderDetails order, Snapshot now)
    {
        var step = Startable(order).MaxBy(s => now.Queue(s.Step)?.Figures.Ready ?? 0);
        if (step is null || now.Queue(step.Step) is not { Figures.Ready: > 0 } queue)
            return new("calm", "Under way.", "Nothing stands in its way.");
        return new(
            "calm",
            "Waits its turn.",
            $"{Texts.Many(queue.Figures.Ready, "message")} stand before step {step.Step}; clears in: {queue.Forecast}.",
            $"/queues/{step.Step}",
            "See the queue"
        );
    }

    private static IEnumerable<StepRecord> Startable(OrderDetails order) =>
        order.Steps.Where(s => s.Status is StepStatus.Waiting or StepStatus.Retrying);
}
