using Microsoft.AspNetCore.Authorization;
using Orders.Dashboard.Accounts;
using Orders.Dashboard.Alerts;
using Orders.Dashboard.Assets;
using Orders.Dashboard.Audit;
using Orders.Dashboard.Auth;
using Orders.Dashboard.BulkPages;
using Orders.Dashboard.EffectPages;
using Orders.Dashboard.ErasurePages;
using Orders.Dashboard.Failures;
using Orders.Dashboard.FlowPages;
using Orders.Dashboard.Live;
using Orders.Dashboard.Login;
using Orders.Dashboard.Metrics;
using Orders.Dashboard.OrderPages;
using Orders.Dashboard.Outbox;
using Orders.Dashboard.Overview;
using Orders.Dashboard.Queues;
using Orders.Dashboard.RedrivePages;
using Orders.Dashboard.Schedules;
using Orders.Dashboard.WorkerPages;
using Orders.Infrastructure.Reading;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Clocks;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Backlog;
using QueueWorkers.Monitoring.History;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// The map of the pages: one folder per page, each with a <c>Map</c>. Only sessions are accepted here, every POST
/// carries a form token, and a page that changes something does it through the same classes as the operator API.
/// </summary>
internal static class PageMap
{
    /// <summary>Adds what the pages stand on.</summary>
    public static IServiceCollection AddPages(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddRazorComponents();
        services.AddResponseCompression(compression =>
        {
            // Safe on TLS: the one secret in a page, the form token, is masked differently each time.
            compression.EnableForHttps = true;
            compression.MimeTypes = ["text/html"];
        });
        services.AddAlerts(configuration);
        services.AddSingleton(DatabaseClock.Provider);
        services
            .AddAuthentication()
            .AddScheme<Microsoft.AspNetCore.Authentication.AuthenticationSchemeOptions, SessionAuthentication>(
                SessionAuthentication.Scheme,
                null
            );
        services
            .AddSingleton<QueueReader>()
            .AddSingleton<OutboxReader>()
            .AddSingleton<StepFiguresReader>()
            .AddSingleton<BlockerReader>()
            .AddSingleton<WaitingReader>()
            .AddSingleton<WaitingMetrics>()
            .AddSingleton<UnusableScheduleMetrics>()
            .AddSingleton<KnownQueues>()
            .AddSingleton<BacklogMetrics>()
            .AddSingleton<WorkerReader>()
            .AddSingleton<Loader>();
        services.AddSingleton<OrderSearchReader>().AddSingleton<OrderDetailsReader>().AddSingleton<StepNames>();
        services.AddSingleton<StepFlowReader>();
        services.AddSingleton<WebhookDeliveryReader>().AddSingleton<CaseFileReader>();
        services
            .AddSingleton<HistoryReader>()
            .AddSingleton<DeployReader>()
            .AddSingleton<HistoryKeeper>()
            .AddHostedService<HistoryService>();
        services.AddSingleton<Feed>().AddHostedService(provider => provider.GetRequiredService<Feed>());
        return services;
    }

    /// <summary>Maps them.</summary>
    public static void MapPages(this IEndpointRouteBuilder app)
    {
        app.MapBrowserFiles();
        app.MapLogin();
        var pages = app.MapGroup("")
            .RequireAuthorization(
                new AuthorizationPolicyBuilder(SessionAuthentication.Scheme).RequireAuthenticatedUser().Build()
            )
            .AddEndpointFilter(FormTokens.CheckAsync);
        LoginRoutes.Map(pages);
        LiveStream.Map(pages);
        OverviewRoutes.Map(pages);
        OrderPageRoutes.Map(pages);
        FailureRoutes.Map(pages);
        CompareRoutes.Map(pages);
        EffectRoutes.Map(pages);
        RedriveRoutes.Map(pages);
        BulkRoutes.Map(pages);
        QueueRoutes.Map(pages);
        FlowRoutes.Map(pages);
        OutboxRoutes.Map(pages);
        WorkerRoutes.Map(pages);
        ProcessRoutes.Map(pages);
        MetricsRoutes.Map(pages);
        ScheduleRoutes.Map(pages);
        AlertRoutes.Map(pages);
        AuditRoutes.Map(pages);
        ErasureRoutes.Map(pages);
        OperatorRoutes.Map(pages);
        KeyRoutes.Map(pages);
        OwnPasswordRoutes.Map(pages);
        // For GET only: one for every method would, where a POST comes without a body, be chosen before an endpoint of
        // the API whose body may be left out.
        var nowhere = pages
            .MapMethods(
                "{*path:regex(^(?!api/|health/).*$)}",
                [HttpMethods.Get, HttpMethods.Head],
                () =>
                    Page.Of<Layout.Message>(
                        new
                        {
                            Title = "No such page",
                            Detail = "The address leads nowhere. The navigation has all pages.",
                        },
                        StatusCodes.Status404NotFound
                    )
            )
            .Needs(OperatorRole.Viewer);
        nowhere.Add(endpoint => ((RouteEndpointBuilder)endpoint).Order = int.MaxValue);
    }
}
