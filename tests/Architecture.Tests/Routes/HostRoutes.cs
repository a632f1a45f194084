using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Orders.Dashboard;
using Orders.Producer.Api;
using Orders.Workers;
using QueueWorkers.Hosting.Routes;

namespace Orders.Architecture.Tests.Routes;

/// <summary>A route of a host.</summary>
/// <param name="Host">The host: API, dashboard or worker.</param>
/// <param name="Method">The HTTP method; <c>*</c> for all.</param>
/// <param name="Path">The path, as it is mapped.</param>
/// <param name="Guard">What it asks of a caller; null when it says nothing.</param>
internal sealed record HostRoute(string Host, string Method, string Path, string? Guard);

/// <summary>
/// The routes of all hosts, from the hosts as they are shipped. They are built and not started: nothing that their
/// configuration names is reached.
/// </summary>
internal static class HostRoutes
{
    private static readonly string[] Settings =
    [
        "--ConnectionStrings:Postgres=Host=localhost;Database=nowhere;Username=nobody",
        "--RabbitMq:Host=localhost",
        "--RabbitMq:Username=nobody",
        "--RabbitMq:Password=nothing",
        "--RabbitMq:ManagementUri=http://localhost:15672",
        "--Logging:LogLevel:Default=None",
        "--environment=Development",
    ];

    private static readonly (string Name, Func<string[], WebApplication> Build, string[] More)[] Hosts =
    [
        ("API", ApiApplication.Build, []),
        ("dashboard", DashboardApplication.Build, []),
        ("worker", WorkersApplication.Build, ["--Workers:Steps=inventory"]),
    ];

    /// <summary>The names of the hosts.</summary>
    public static IEnumerable<string> Names => Hosts.Select(host => host.Name);

    /// <summary>The routes of all hosts.</summary>
    public static async Task<IReadOnlyList<HostRoute>> AllAsync()
    {
        List<HostRoute> routes = [];
        foreach (var name in Names)
            routes.AddRange(await OfAsync(name));
        return routes;
    }

    /// <summary>The routes of one host.</summary>
    /// <param name="name">The name of the host.</param>
    /// <param name="plant">Maps more routes before the host is looked at.</param>
    public static async Task<IReadOnlyList<HostRoute>> OfAsync(string name, Action<WebApplication>? plant = null)
    {
        var (_, build, more) = Hosts.Single(host => host.Name == name);
        await using var app = build([.. Settings, .. more]);
        plant?.Invoke(app);
        return
        [
            .. ((IEndpointRouteBuilder)app)
                .DataSources.SelectMany(source => source.Endpoints)
                .OfType<RouteEndpoint>()
                .SelectMany(route =>
                    (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]).Select(
                        method => new HostRoute(name, method, Rooted(route.RoutePattern.RawText), RouteGuards.Of(route))
                    )
                ),
        ];
    }

    private static string Rooted(string? path) => path is ['/', ..] ? path : $"/{path}";
}
