using System.Text.Json;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.History;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Metrics;

/// <summary>How the steps have been doing, up to ninety days back.</summary>
internal static class MetricsRoutes
{
    private static readonly string[] Columns =
    [
        "begins",
        "seconds",
        "done",
        "failed attempts",
        "dead-lettered",
        "time in queue p50 ms",
        "time in queue p95 ms",
        "time in queue p99 ms",
        "run time of one attempt p50 ms",
        "run time of one attempt p95 ms",
        "run time of one attempt p99 ms",
        "time to done p50 ms",
        "time to done p95 ms",
        "time to done p99 ms",
        "deployed",
    ];

    /// <summary>What can be chosen.</summary>
    public static IReadOnlyList<(string Value, string Text, TimeSpan Span)> Spans { get; } =
    [
        ("1h", "last hour", TimeSpan.FromHours(1)),
        ("6h", "last 6 hours", TimeSpan.FromHours(6)),
        ("2d", "last 2 days", TimeSpan.FromDays(2)),
        ("14d", "last 14 days", TimeSpan.FromDays(14)),
        ("90d", "last 90 days", TimeSpan.FromDays(90)),
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/metrics-view",
                async (
                    string? span,
                    string? step,
                    HistoryReader history,
                    DeployReader deploys,
                    StepNames steps,
                    TimeProvider time,
                    Loader loader,
                    HttpContext http
                ) =>
                {
                    var chosen = Chosen(span);
                    var periods = loader.LoadAsync(
                        "the history",
                        token => history.ReadAsync(chosen.Span, Step(step), time.GetUtcNow(), token),
                        http.RequestAborted
                    );
                    var marks = loader.LoadAsync(
                        "the deployments",
                        token => deploys.ReadAsync(chosen.Span, Step(step), time.GetUtcNow(), token),
                        http.RequestAborted
                    );
                    var names = loader.LoadAsync("the steps", steps.ReadAsync, http.RequestAborted);
                    return Page.Of<MetricsPage>(
                        new
                        {
                            Span = chosen.Value,
                            Step = Step(step),
                            Periods = await periods,
                            Deploys = await marks,
                            Steps = (await names).Value ?? [],
                        }
                    );
                }
            )
            .Needs(OperatorRole.Viewer);

        pages
            .MapGet(
                "/metrics-view.csv",
                async (
                    string? span,
                    string? step,
                    HistoryReader history,
                    DeployReader deploys,
                    TimeProvider time,
                    CancellationToken cancellationToken
                ) =>
                {
                    var (back, now) = (Chosen(span).Span, time.GetUtcNow());
                    var periods = await history.ReadAsync(back, Step(step), now, cancellationToken);
                    var rows = WithBuilds(periods, await deploys.ReadAsync(back, Step(step), now, cancellationToken));
                    return Csv.File(
                        "metrics",
                        Columns,
                        from row in rows
                        let p = row.Period
                        select (IReadOnlyList<object?>)
                            [
                                p.From,
                                p.Seconds,
                                p.Done,
                                p.Failed,
                                p.DeadLettered,
                                Ms(p.Queue, 0.5),
                                Ms(p.Queue, 0.95),
                                Ms(p.Queue, 0.99),
                                Ms(p.Run, 0.5),
                                Ms(p.Run, 0.95),
                                Ms(p.Run, 0.99),
                                Ms(p.Total, 0.5),
                                Ms(p.Total, 0.95),
                                Ms(p.Total, 0.99),
                                row.Builds,
                            ]
                    );
                }
            )
            .Needs(OperatorRole.Viewer);
    }

    /// <summary>
    /// The charts' rows: second, done a second, failed attempts a second, then percentiles of run time of one
    /// attempt, time in queue and time to done in ms.
    /// </summary>
    public static string Rows(IReadOnlyList<StepPeriod> periods) =>
        JsonSerializer.Serialize(
            periods.Select(p =>
                (double?[])
                    [
                        p.From.ToUnixTimeSeconds(),
                        Math.Round(p.Done / (double)p.Seconds, 2),
                        Math.Round(p.Failed / (double)p.Seconds, 3),
                        Ms(p.Run, 0.5),
                        Ms(p.Run, 0.95),
                        Ms(p.Run, 0.99),
                        Ms(p.Queue, 0.5),
                        Ms(p.Queue, 0.95),
                        Ms(p.Queue, 0.99),
                        Ms(p.Total, 0.5),
                        Ms(p.Total, 0.95),
                        Ms(p.Total, 0.99),
                    ]
            )
        );

    /// <summary>
    /// The charts' marks: second, and what it says, with <c>{at}</c> for the time in the viewer's zone.
    /// </summary>
    public static string Marks(IReadOnlyList<DeployMark> deploys) =>
        JsonSerializer.Serialize(
            deploys.Select(d =>
                new object[] { d.At.ToUnixTimeSeconds(), $"{d.Build} at {{at}}: {string.Join(", ", d.Steps)}" }
            )
        );

    /// <summary>
    /// Each period with the builds that came in it or after it and before the next: none is left out because its minute
    /// is not over.
    /// </summary>
    public static IEnumerable<(StepPeriod Period, string Builds)> WithBuilds(
        IReadOnlyList<StepPeriod> periods,
        IReadOnlyList<DeployMark> deploys
    ) =>
        periods.Select(
            (period, i) =>
            {
                var (from, until) = (
                    i == 0 ? DateTimeOffset.MinValue : period.From,
                    i == periods.Count - 1 ? DateTimeOffset.MaxValue : periods[i + 1].From
                );
                return (
                    period,
                    string.Join(", ", deploys.Where(d => d.At >= from && d.At < until).Select(d => d.Build))
                );
            }
        );

    private static double? Ms(IReadOnlyList<int> slots, double share) =>
        DurationSlots.Percentile(slots, share) is { } time ? Math.Round(time.TotalMilliseconds) : null;

    private static (string Value, string Text, TimeSpan Span) Chosen(string? value) =>
        Spans.FirstOrDefault(s => s.Value == value) is { Value: not null } known ? known : Spans[0];

    private static string? Step(string? step) => string.IsNullOrEmpty(step) ? null : step;
}
