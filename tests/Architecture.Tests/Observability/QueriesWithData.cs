namespace Orders.Architecture.Tests.Observability;

/// <summary>The queries that must have data in a healthy installation that has had orders.</summary>
internal static class QueriesWithData
{
    /// <summary>Those of records, panels and KEDA; an alert has data when it fires.</summary>
    public static IReadOnlyList<(string Where, string Expression)> All { get; } =
    [
        .. ObservabilityFiles
            .Rules.Where(rule => !rule.IsAlert)
            .Select(rule => ($"rule {rule.Name}", rule.Expression))
            .Concat(ObservabilityFiles.Queries.Select(query => ($"panel '{query.Panel}'", query.Substituted)))
            .Concat(ObservabilityFiles.ScalingQueries)
            .Where(query => PromQuery.Metrics(query.Item2).All(metric => HasData(metric.Name))),
    ];

    // Of a recorded one, what it is made of. docs/telemetry.md says of every metric when it is absent.
    private static bool HasData(string name) =>
        DocumentedMetric.All.TryGetValue(name, out var metric) ? metric.IsAlwaysThere || IsThereAfterAnOrder(name)
        : ObservabilityFiles.Rules.FirstOrDefault(rule => rule.Name == name) is { } record
            ? PromQuery.Metrics(record.Expression).All(inner => HasData(inner.Name))
        : name is "up" or "ALERTS";

    // Absent until a run or a batch has ended.
    private static bool IsThereAfterAnOrder(string name) =>
        name.StartsWith("messaging_process_duration", StringComparison.Ordinal)
        || name.StartsWith("queueworkers_step_queue_duration", StringComparison.Ordinal)
        || name.StartsWith("queueworkers_step_done_duration", StringComparison.Ordinal)
        || name.StartsWith("queueworkers_relay_", StringComparison.Ordinal);
}
