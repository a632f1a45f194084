using QueueWorkers.Operators;

namespace Orders.Dashboard.Layout;

/// <summary>A page of the navigation.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Href">Its address.</param>
/// <param name="Key">The key that goes there after <c>g</c>.</param>
/// <param name="Badge">The live figure beside it; null for none.</param>
/// <param name="Needs">The role that it takes.</param>
internal sealed record Place(
    string Name,
    string Href,
    char Key,
    string? Badge = null,
    OperatorRole Needs = OperatorRole.Viewer
);

/// <summary>The navigation, in its order.</summary>
internal static class Places
{
    public static IReadOnlyList<Place> All { get; } =
    [
        new("Overview", "/", 'o'),
        new("Orders", "/orders", 'r'),
        new("Failures", "/failures", 'f', "failures:badge"),
        new("Queues", "/queues", 'q'),
        new("Flow", "/flow", 'd'),
        new("Outbox", "/outbox", 'b', "outbox:badge"),
        new("Workers", "/workers", 'w'),
        new("Schedules", "/schedules", 's'),
        new("Metrics", "/metrics-view", 'm'),
        new("Alerts", "/alerts", 'l'),
        new("Audit", "/audit", 'a'),
        new("Erasures", "/erasures", 'e', Needs: OperatorRole.Admin),
        new("Operators", "/operators", 'p', Needs: OperatorRole.Admin),
        new("API keys", "/keys", 'k', Needs: OperatorRole.Admin),
    ];

    /// <summary>Those that a role may open.</summary>
    public static IEnumerable<Place> For(OperatorRole role) => All.Where(place => role >= place.Needs);
}
