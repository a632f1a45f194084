using Orders.Dashboard.Auth;
using Orders.Dashboard.Live;
using Orders.Dashboard.Overview;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Queues;

/// <summary>
/// How the steps' queues stand, and what needs attention: the same figures as on the pages, of the same look. A request reads
/// nothing, so callers may ask as often as they like.
/// </summary>
internal static class QueuesApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/queues",
                (Feed feed) =>
                    Results.Ok(feed.Current.Queues.Where(q => !q.HoldsDeadLetters).Select(q => Of(q, feed.Current)))
            )
            .Needs(OperatorRole.Viewer);
        api.MapGet(
                "/attention",
                (Feed feed) =>
                    Results.Ok(
                        Attention
                            .In(feed.Current)
                            .Select(a => new AttentionAnswer(a.State, a.Word, a.What, a.Sentence, a.Link))
                    )
            )
            .Needs(OperatorRole.Viewer);
    }

    private static StepAnswer Of(QueueState queue, Snapshot now)
    {
        var (waiting, figures) = (queue.Waiting, now.Steps.GetValueOrDefault(queue.Name));
        return new StepAnswer(
            queue.Name,
            queue.State.Word,
            now.At,
            queue.Figures.Ready,
            queue.Figures.Unacknowledged,
            waiting?.Retry ?? 0,
            waiting?.Deferred ?? 0,
            queue.Failed,
            queue.Figures.Consumers,
            [
                .. (waiting?.Parts ?? []).Select(p => new Cause(
                    p.Cause,
                    p.Count,
                    p.IsLimited,
                    p.Since,
                    p.NextAt,
                    p.LastFault
                )),
            ],
            waiting is { Count: > 0 } ? waiting.Forecast(queue.Paused, now.Standing.DownFor(queue.Name)) : null,
            Times.Of(figures?.Queue),
            Times.Of(figures?.Run),
            Times.Of(figures?.Total)
        );
    }

    /// <summary>A step. The times are of the last 20 seconds, in seconds.</summary>
    private sealed record StepAnswer(
        string Step,
        string State,
        DateTimeOffset At,
        long Ready,
        long Running,
        long WaitingForRetry,
        long Deferred,
        long Failed,
        int Workers,
        IReadOnlyList<Cause> Waiting,
        string? Forecast,
        Times? TimeInQueue,
        Times? RunTimeOfOneAttempt,
        Times? TimeToDone
    );

    /// <summary>A cause. A limited count is the least that it may be.</summary>
    private sealed record Cause(
        string Name,
        long Count,
        bool CountIsLimited,
        DateTimeOffset? OldestSince,
        DateTimeOffset NextAttemptAt,
        string? LastFault
    );

    private sealed record Times(double P50, double P95, double P99)
    {
        public static Times? Of(QueueWorkers.Monitoring.Percentiles? of) =>
            of is { P50: { } p50, P95: { } p95, P99: { } p99 }
                ? new Times(p50.TotalSeconds, p95.TotalSeconds, p99.TotalSeconds)
                : null;
    }

    private sealed record AttentionAnswer(string State, string Word, string What, string Sentence, string Link);
}
