using Orders.Architecture.Tests.Routes;
using QueueWorkers.Hosting.Routes;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>All routes of all hosts by what they ask of a caller, one row per host and guard.</summary>
internal static class RoutesPart
{
    // From the outside to the most that anybody may do; guards of API keys last.
    private static readonly string[] Order = [RouteGuards.Open, "viewer", "operator", "admin"];

    public static async Task<string> WriteAsync() =>
        MarkdownTable.Of(
            ["host", "guard", "routes"],
            (await HostRoutes.AllAsync())
                .GroupBy(route => (Host: HostOf(route), Guard: route.Guard ?? "none: closed"))
                .OrderBy(group => group.Key.Host, StringComparer.Ordinal)
                .ThenBy(group => Array.IndexOf(Order, group.Key.Guard) is var place and >= 0 ? place : Order.Length)
                .ThenBy(group => group.Key.Guard, StringComparer.Ordinal)
                .Select(group =>
                    new[]
                    {
                        group.Key.Host,
                        group.Key.Guard == RouteGuards.Open ? "open to everybody" : $"`{group.Key.Guard}`",
                        string.Join(
                            "<br>",
                            group
                                .GroupBy(route => route.Path)
                                .OrderBy(path => path.Key, StringComparer.Ordinal)
                                .Select(path => $"{Methods(path)} `{path.Key}`")
                        ),
                    }
                )
        );

    // The dashboard is two: pages for sessions of browsers, and the operator API for keys.
    private static string HostOf(HostRoute route) =>
        route.Path.StartsWith("/api/", StringComparison.Ordinal) ? "operator API (key)"
        : route.Host == "dashboard" ? "dashboard (session)"
        : route.Host;

    private static string Methods(IEnumerable<HostRoute> routes) =>
        string.Join(", ", routes.Select(r => r.Method == "*" ? "any" : r.Method).Distinct().Order());
}
