using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Live;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Queues;

/// <summary>The broker's queues, all and one.</summary>
internal static class QueueRoutes
{
    private static readonly string[] Columns =
    [
        "queue",
        "state",
        "ready",
        "running",
        "waiting for retry",
        "deferred",
        "failed",
        "in per second",
        "out per second",
        "run time of one attempt p95 ms",
        "oldest s",
        "clears in",
        "workers",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/queues", () => Page.Of<QueuesPage>(new { })).Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/queues.csv",
                (Feed feed) =>
                    Csv.File(
                        "queues",
                        Columns,
                        feed.Current.Queues.Select(q =>
                            (IReadOnlyList<object?>)
                                [
                                    q.Name,
                                    q.State.Word,
                                    q.Figures.Ready,
                                    q.Figures.Unacknowledged,
                                    q.Waiting?.Retry ?? 0,
                                    q.Waiting?.Deferred ?? 0,
                                    q.Failed,
                                    q.Figures.InPerSecond,
                                    q.Figures.OutPerSecond,
                                    feed.Current.Steps.GetValueOrDefault(q.Name)?.Run.P95?.TotalMilliseconds,
                                    q.Oldest?.TotalSeconds,
                                    q.Forecast,
                                    q.Figures.Consumers,
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        // What cannot be found leaves the last one in place.
        pages
            .MapGet(
                "/queues/{name}/waiting",
                (string name, Feed feed) =>
                    feed.Current.Queue(name) is { HoldsDeadLetters: false }
                        ? Page.Of<WaitingCard>(new { Name = name })
                        : Results.StatusCode(StatusCodes.Status404NotFound)
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/queues/{name}",
                (string name, Feed feed) =>
                    feed.Current.Queue(name) is { } queue
                        ? Page.Of<QueuePage>(new { Name = queue.Name })
                        : (IResult)
                            Page.Of<Message>(
                                new
                                {
                                    Title = "No such queue",
                                    Detail = $"RabbitMQ has no queue called {name}, or has not answered yet.",
                                },
                                StatusCodes.Status404NotFound
                            )
            )
            .Needs(OperatorRole.Viewer);
    }
}
