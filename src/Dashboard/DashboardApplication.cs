using Orders.Dashboard.Api;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Live;
using Orders.Dashboard.Login;
using Orders.Dashboard.Oidc;
using Orders.Dashboard.Proxy;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure;
using Orders.Infrastructure.Cancelling;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Routes;
using QueueWorkers.Messaging;
using QueueWorkers.Operators.Anchors;
using QueueWorkers.Topology;

namespace Orders.Dashboard;

/// <summary>The dashboard's table of contents: what it is made of, and what a request passes through.</summary>
internal static class DashboardApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        new ConfigurationProblems()
            .Collect(() => builder.AddWorkerHost("orders-dashboard", OrdersSettings.Known))
            .Collect(() =>
                builder
                    .Services.AddOrdersStore(builder.Configuration, DatabaseOptions.Dashboard, atLeast: 2)
                    .AddReplays()
                    .AddSingleton<OrderCancellation>()
            )
            .Collect(() => builder.Services.AddPersonalDataHash(builder.Configuration))
            .Collect(() => builder.Services.AddRelay(builder.Configuration))
            // The queues' figures come from the management API.
            .Collect(() => RabbitMqOptions.Read(builder.Configuration, management: true))
            .Collect(() =>
                builder
                    .Services.AddFailures(builder.Configuration)
                    .AddOrderFailures()
                    .AddOrderErasure()
                    .AddOrderBulkActions(builder.Configuration)
                    .AddTopologyCheck(builder.Configuration)
            )
            .Collect(() => builder.Services.AddReverseProxy(builder.Configuration))
            .Collect(() => builder.Services.AddLogin(builder.Configuration))
            .Collect(() => builder.Services.AddOidc(builder.Configuration))
            .Collect(() => builder.Services.AddLiveStream(builder.Configuration))
            .Collect(() => builder.Services.AddAuditAnchors(builder.Configuration))
            .Collect(() => builder.Services.AddOperatorAuth().AddOperatorApi().AddPages(builder.Configuration))
            .ThrowIfAny();

        builder.WebHost.ConfigureKestrel(server =>
        {
            server.Limits.MaxRequestBodySize = Form.MostBytes;
            server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(20);
        });
        var app = builder.Build();

        // From the outside in: how the browser sees us; whatever goes wrong becomes a problem; then who is it, may they.
        app.UseReverseProxy();
        app.UseHsts();
        app.UseMiddleware<ApiProblems>();
        app.UseMiddleware<PageProblems>();
        app.UseResponseCompression();
        app.UseRouting();
        app.UseRouteGuards();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<IncomingTexts>();

        app.MapOperatorApi();
        app.MapPages();
        app.MapWorkerHost();
        return app;
    }
}
