using Orders.Infrastructure.Reading;
using QueueWorkers.Steps;

namespace Orders.Dashboard.OrderPages;

/// <summary>What a piece of the waterfall shows.</summary>
public enum Piece
{
    /// <summary>Waited: for the step before, or for a worker.</summary>
    Wait,

    /// <summary>Ran, and did it.</summary>
    Run,

    /// <summary>Ran, and failed.</summary>
    Failed,

    /// <summary>Waited for the next attempt.</summary>
    Delay,

    /// <summary>Is running.</summary>
    Now,
}

/// <summary>A piece of a step's time.</summary>
/// <param name="Piece">What it shows.</param>
/// <param name="From">From when.</param>
/// <param name="To">Until when.</param>
/// <param name="Says">The same in words.</param>
public sealed record Span(Piece Piece, DateTimeOffset From, DateTimeOffset To, string Says);

/// <summary>A step's line.</summary>
/// <param name="Step">The step.</param>
/// <param name="Spans">Its pieces, in the order of time.</param>
public sealed record FallLine(StepRecord Step, IReadOnlyList<Span> Spans);

/// <summary>
/// An order's time, step by step. What is known exactly: when a step first began, when each failed attempt began and
/// ended and what it waited for, when the step ended.
/// The attempt that succeeded after others failed began when it was due at the earliest: a wait in the queue after that
/// is part of its run.
/// </summary>
public sealed class Waterfall
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(20);

    /// <summary>Puts it together.</summary>
    public Waterfall(OrderDetails order, DateTimeOffset now)
    {
        Lines = [.. order.Steps.Select(step => new FallLine(step, [.. Spans(order, step, now)]))];
        From = order.Order.CreatedAt;
        var end = Lines.SelectMany(l => l.Spans).Select(s => s.To).DefaultIfEmpty(From).Max();
        To = end - From < Least ? From + Least : end;
    }

    /// <summary>When the order was accepted.</summary>
    public DateTimeOffset From { get; }

    /// <summary>When the last of it ended, or now.</summary>
    public DateTimeOffset To { get; }

    /// <summary>A line per step.</summary>
    public IReadOnlyList<FallLine> Lines { get; }

    /// <summary>Where a moment is, 0 at the beginning and 1 at the end.</summary>
    public double At(DateTimeOffset moment) => Math.Clamp((moment - From) / (To - From), 0, 1);

    private static IEnumerable<Span> Spans(OrderDetails order, StepRecord step, DateTimeOffset now)
    {
        var at = order.Order.CreatedAt;
        var failed = order.FailedAttempts.Where(a => a.Step == step.Step).ToArray();
        var first = failed.Select(a => (DateTimeOffset?)a.StartedAt).Append(step.StartedAt).Min();
        var over =
            order.Status is Orders.Infrastructure.OrderStatus.Rejected or Orders.Infrastructure.OrderStatus.Cancelled;
        if (first is not { } began)
        {
            if (step.Status == StepStatus.Waiting && !over)
                yield return new(Piece.Wait, at, now, "waits");
            yield break;
        }

        if (began > at)
            yield return new(Piece.Wait, at, began, "waited for the step before, or for a worker");
        at = began;
        foreach (var attempt in failed)
        {
            yield return new(
                Piece.Failed,
                attempt.StartedAt,
                attempt.EndedAt,
                $"attempt {attempt.Attempt} failed: {attempt.Fault}"
            );
            at = attempt.EndedAt;
            if (attempt.NextAt is { } next)
            {
                var until = failed.FirstOrDefault(a => a.StartedAt > attempt.StartedAt)?.StartedAt ?? next;
                yield return new(Piece.Delay, at, until, "waited for the next attempt");
                at = until;
            }
        }

        if (step.Status is StepStatus.Done or StepStatus.Rejected && step.FinishedAt is { } end)
            yield return new(
                Piece.Run,
                at < end ? at : began,
                end,
                step.Status == StepStatus.Done ? "ran and is done" : "ran and refused the order"
            );
        else if (step.Status == StepStatus.Running)
            yield return new(Piece.Now, at, now, "is running");
    }
}
