using System.Text.Json;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Observing;
using Orders.Infrastructure.Observing.History;
using Orders.Infrastructure.Operators;

namespace Orders.Dashboard.Metrics;

/// <summary>How the steps have been doing, up to ninety days back.</summary>
internal static class MetricsRoutes
{
    private static readonly string[] Columns = ["begins", "seconds", "done", "failed attempts", "parked", "run p50 ms", "run p95 ms", "run p99 ms", "wait p50 ms", "wait p95 ms", "wait p99 ms"];

    /// <summary>What can be chosen.</summary>
    public static IReadOnlyList<(string Value, string Text, TimeSpan Span)> Spans { get; } =
    [
        ("1h", "last hour", TimeSpan.FromHours(1)), ("6h", "last 6 hours", TimeSpan.FromHours(6)), ("2d", "last 2 days", TimeSpan.FromDays(2)),
        ("14d", "last 14 days", TimeSpan.FromDays(14)), ("90d", "last 90 days", TimeSpan.FromDays(90)),
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/metrics-view", async (string? span, string? step, HistoryReader history, StepNames steps, TimeProvider time, Loader loader, HttpContext http) =>
        {
            var chosen = Chosen(span);
            var periods = loader.LoadAsync("the history", token => history.ReadAsync(chosen.Span, Step(step), time.GetUtcNow(), token), http.RequestAborted);
            var names = loader.LoadAsync("the steps", steps.ReadAsync, http.RequestAborted);
            return Page.Of<MetricsPage>(new { Span = chosen.Value, Step = Step(step), Periods = await periods, Steps = (await names).Value ?? [] });
        }).Needs(OperatorRole.Viewer);

        pages.MapGet("/metrics-view.csv", async (string? span, string? step, HistoryReader history, TimeProvider time, CancellationToken cancellationToken) =>
            Csv.File("metrics", Columns, (await history.ReadAsync(Chosen(span).Span, Step(step), time.GetUtcNow(), cancellationToken)).Select(p => (IReadOnlyList<object?>)
            [
                p.From, p.Seconds, p.Done, p.Failed, p.Parked, Ms(p.Run, 0.5), Ms(p.Run, 0.95), Ms(p.Run, 0.99), Ms(p.Wait, 0.5), Ms(p.Wait, 0.95), Ms(p.Wait, 0.99),
            ]))).Needs(OperatorRole.Viewer);
    }

    /// <summary>The charts' rows: second, done a second, failed attempts a second, then run and wait percentiles in ms.</summary>
    public static string Rows(IReadOnlyList<StepPeriod> periods) => JsonSerializer.Serialize(periods.Select(p => (double?[])
    [
        p.From.ToUnixTimeSeconds(), Math.Round(p.Done / (double)p.Seconds, 2), Math.Round(p.Failed / (double)p.Seconds, 3),
        Ms(p.Run, 0.5), Ms(p.Run, 0.95), Ms(p.Run, 0.99), Ms(p.Wait, 0.5), Ms(p.Wait, 0.95), Ms(p.Wait, 0.99),
    ]));

    private static double? Ms(IReadOnlyList<int> slots, double share) => DurationSlots.Percentile(slots, share) is { } time ? Math.Round(time.TotalMilliseconds) : null;

    private static (string Value, string Text, TimeSpan Span) Chosen(string? value) => Spans.FirstOrDefault(s => s.Value == value) is { Value: not null } known ? known : Spans[0];

    private static string? Step(string? step) => string.IsNullOrEmpty(step) ? null : step;
}
