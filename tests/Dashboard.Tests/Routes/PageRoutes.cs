using Microsoft.AspNetCore.Routing;
using Orders.Dashboard.Tests.Pages;
using Orders.Testing.Servers;
using QueueWorkers.Bulk;
using QueueWorkers.Hosting.Routes;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Routes;

/// <summary>A route that a browser uses.</summary>
/// <param name="Method">GET or POST.</param>
/// <param name="Path">As it is mapped, with its parameters.</param>
/// <param name="Needs">The role; null for a route that is open to everybody.</param>
internal sealed record BrowserRoute(string Method, string Path, OperatorRole? Needs)
{
    /// <summary>Whether it is a page.</summary>
    public bool IsPage => DashboardPages.IsPage(Method, Path);
}

/// <summary>
/// The dashboard's pages and forms, read from the routes that it maps: tests of all pages take them from here, so that
/// none of them misses a page that was added.
/// </summary>
internal static class PageRoutes
{
    // A page with a parameter, or one that is empty without a question, is looked at with something to show.
    private static readonly Dictionary<string, Func<TestDatabase, Task<string>>> Examples = new()
    {
        ["/bulk-actions/{id:guid}"] = async data => $"/bulk-actions/{await BulkActionAsync(data)}",
        ["/orders/{id:guid}"] = async data => $"/orders/{await SampleData.FailedOrderAsync(data)}",
        ["/failures/{id:guid}"] = async data => $"/failures/{(await SampleData.FailureAsync(data)).Failure}",
        ["/failures/compare"] = async data => $"/failures/compare?ids={string.Join(',', await TwoFailuresAsync(data))}",
        ["/redrives/{id:guid}"] = async data => $"/redrives/{(await SampleData.FailureAsync(data)).Redrive}",
        ["/redrives/new"] = async data => $"/redrives/new?ids={(await SampleData.FailureAsync(data)).Failure}",
        ["/queues/{name}"] = async data =>
            $"/queues/{await data.ScalarAsync<string>("select step from step_catalogue order by bit limit 1")}",
        ["/schedules/{name}"] = async data => $"/schedules/{await SampleSchedules.OfAsync(data)}",
        ["/schedules/new"] = async data =>
        {
            await SampleSchedules.OfAsync(data);
            return $"/schedules/new?kind={SampleSchedules.Kind}";
        },
        ["/workers/{id:guid}"] = async data => $"/workers/{await SampleData.WorkerAsync(data, "worker-1")}",
    };

    /// <summary>All routes for browsers: pages, parts of pages, files and forms.</summary>
    public static IReadOnlyList<BrowserRoute> Of(DashboardHost dashboard) =>
        [
            .. ((EndpointDataSource)dashboard.Services.GetService(typeof(EndpointDataSource))!)
                .Endpoints.OfType<RouteEndpoint>()
                .Where(route => RouteGuards.Of(route) is "viewer" or "operator" or "admin" or RouteGuards.Open)
                .SelectMany(route =>
                    (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(
                        method => new BrowserRoute(
                            method,
                            $"/{route.RoutePattern.RawText!.TrimStart('/')}",
                            Enum.TryParse<OperatorRole>(RouteGuards.Of(route), ignoreCase: true, out var role)
                                ? role
                                : null
                        )
                    )
                )
                .Where(route =>
                    route.Method is "GET" or "POST"
                    && !route.Path.StartsWith("/api", StringComparison.Ordinal)
                    && !route.Path.StartsWith("/health", StringComparison.Ordinal)
                ),
        ];

    /// <summary>The addresses of the pages that have no parameter and ask for a session.</summary>
    public static string[] Plain(DashboardHost dashboard) =>
        [
            .. Of(dashboard)
                .Where(route => route is { IsPage: true, Needs: not null } && !Examples.ContainsKey(route.Path))
                .Select(route => route.Path),
        ];

    /// <summary>
    /// Each page with an address at which it shows something of <see cref="SampleData"/>.
    /// </summary>
    public static async Task<IReadOnlyList<(BrowserRoute Route, string Address)>> FilledAsync(
        DashboardHost dashboard,
        TestDatabase data
    )
    {
        List<(BrowserRoute, string)> pages = [];
        foreach (var route in Of(dashboard).Where(route => route is { IsPage: true, Needs: not null }))
            pages.Add((route, await AddressAsync(route.Path, data)));
        Assert.That(pages, Is.Not.Empty, "pages");
        return pages;
    }

    /// <summary>An address of a route.</summary>
    public static async Task<string> AddressAsync(string path, TestDatabase data)
    {
        if (Examples.TryGetValue(path, out var example))
            return await example(data);
        // A part of a page is looked at where the page is.
        if (Examples.Keys.FirstOrDefault(page => path.StartsWith($"{page}/", StringComparison.Ordinal)) is { } whole)
            return await Examples[whole](data) + path[whole.Length..];
        Assert.That(path, Does.Not.Contain('{'), $"{path}: say in {nameof(PageRoutes)} what to look at");
        return path;
    }

    private static async Task<Guid> BulkActionAsync(TestDatabase data)
    {
        var found = await data.RowsAsync("select id from bulk_actions limit 1");
        if (found.Count > 0)
            return (Guid)found[0][0]!;
        var id = Guid.NewGuid();
        await data.ExecuteAsync(
            $$"""
            insert into bulk_actions (id, kind, filter, per_second, state, total, done, skipped, refused, rehearsal,
                created_by, confirmed_by, confirmed_at, reason, finished_at)
            values ($1, 'archive-failures', '{}', 50, {{BulkState.Finished:D}}, 12, 12, 0, 0, '{}',
                'otto', 'otto', now(), 'Tests of a client.', now())
            """,
            id
        );
        return id;
    }

    private static async Task<IEnumerable<Guid>> TwoFailuresAsync(TestDatabase data) =>
        (await data.RowsAsync("select id from failures order by id desc limit 2")).Select(row => (Guid)row[0]!);
}
