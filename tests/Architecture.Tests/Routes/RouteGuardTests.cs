using Microsoft.AspNetCore.Builder;
using QueueWorkers.Hosting.Routes;

namespace Orders.Architecture.Tests.Routes;

/// <summary>
/// Each route of each host says who may call it. A route that says nothing answers 403 and is found here, so that it
/// does not pass the gate. A route that is open to everybody is named here too.
/// </summary>
public sealed class RouteGuardTests
{
    private static readonly string[] OpenEverywhere =
    [
        "GET /health/live",
        "GET /health/ready",
        "* /health/live",
        "* /health/ready",
    ];

    private static readonly Dictionary<string, string[]> Open = new()
    {
        ["API"] =
        [
            "GET /openapi/{documentName}.json",
            "GET /docs/{documentName?}",
            "GET /docs/favicon.svg",
            "GET /docs/scalar.js",
            "GET /docs/scalar.aspnetcore.js",
        ],
        ["dashboard"] = ["GET /login", "POST /login", "GET /assets/{hash}/{name}", "GET /favicon.ico"],
        ["worker"] = [],
    };

    private static readonly string[] Guards =
    [
        "viewer",
        "operator",
        "admin",
        "orders:read",
        "orders:write",
        "webhooks:write",
    ];

    private static IEnumerable<string> Hosts => HostRoutes.Names;

    [TestCaseSource(nameof(Hosts))]
    public async Task A_route_without_a_guard_is_in_no_host(string host)
    {
        var routes = await HostRoutes.OfAsync(host);
        Assert.That(routes, Is.Not.Empty, "routes found");
        Assert.That(Unguarded(routes), Is.Empty, "routes without a guard: add Needs(…) or AllowAnonymous()");
        Assert.That(
            routes.Select(route => route.Guard).Where(guard => guard != RouteGuards.Open).Distinct(),
            Is.SubsetOf(Guards),
            "guards"
        );
    }

    [TestCaseSource(nameof(Hosts))]
    public async Task A_route_is_open_to_everybody_only_on_purpose(string host) =>
        Assert.That(
            (await HostRoutes.OfAsync(host)).Where(route => route.Guard == RouteGuards.Open).Select(Text).Distinct(),
            Is.SubsetOf(OpenEverywhere.Concat(Open[host])),
            "routes that anybody may call; add one here only if that is meant"
        );

    [TestCaseSource(nameof(Hosts))]
    public async Task A_planted_route_without_metadata_does_not_pass(string host) =>
        Assert.That(
            Unguarded(await HostRoutes.OfAsync(host, app => app.MapPost("/planted", () => "open"))),
            Is.EqualTo(["POST /planted"])
        );

    // Any login would open it, whatever its role.
    [Test]
    public async Task A_planted_route_with_a_policy_without_a_role_does_not_pass() =>
        Assert.That(
            Unguarded(
                await HostRoutes.OfAsync(
                    "dashboard",
                    app => app.MapPost("/api/planted", () => "any key").RequireAuthorization()
                )
            ),
            Is.EqualTo(["POST /api/planted"])
        );

    private static IEnumerable<string> Unguarded(IEnumerable<HostRoute> routes) =>
        routes.Where(route => route.Guard is null).Select(Text);

    private static string Text(HostRoute route) => $"{route.Method} {route.Path}";
}
