using System.Text.RegularExpressions;

namespace Orders.Testing;

/// <summary>
/// Which routes of the dashboard are pages, and what their pictures are called. Whatever a browser gets is a page,
/// unless it is named here: a route that is added is tested and photographed like the others.
/// </summary>
public static partial class DashboardPages
{
    // Each answers to scripts or leads elsewhere; that none of them is a whole page is tested.
    private static readonly string[] NoPages =
    [
        "/attention",
        "/bulk-actions/{id:guid}/progress",
        "/newest-groups",
        "/orders/{id:guid}/progress",
        "/queues/{name}/waiting",
        "/redrives/{id:guid}/progress",
        "/workers/processes",
        "/workers/{id:guid}/now",
        "/find",
        "/live",
        "/login/oidc",
        "/assets/{hash}/{name}",
        "/favicon.ico",
    ];

    /// <summary>What each page is photographed in: both themes, and the width of a phone.</summary>
    public static IReadOnlyList<string> Looks { get; } = ["light", "dark", "phone"];

    /// <summary>The routes of the list above.</summary>
    public static IReadOnlyList<string> Others => NoPages;

    /// <summary>Whether a route is a page.</summary>
    /// <param name="method">The HTTP method.</param>
    /// <param name="path">The path as it is mapped, with its parameters.</param>
    public static bool IsPage(string method, string path) =>
        method == "GET"
        && !path.StartsWith("/api", StringComparison.Ordinal)
        && !path.StartsWith("/health", StringComparison.Ordinal)
        && !path.StartsWith("/{*", StringComparison.Ordinal)
        && !path.EndsWith(".csv", StringComparison.Ordinal)
        && !NoPages.Contains(path);

    /// <summary>
    /// The name of a page's pictures, before the look: <c>orders-one</c> for <c>/orders/{id:guid}</c>.
    /// </summary>
    public static string PictureOf(string path) =>
        path == "/" ? "overview" : Parameter().Replace(path.Trim('/'), "one").Replace('/', '-');

    [GeneratedRegex(@"\{[^/]+\}")]
    private static partial Regex Parameter();
}
