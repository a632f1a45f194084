using Orders.Dashboard.Api;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Orders.Cancelling;
using Orders.Infrastructure.Topology;

namespace Orders.Dashboard;

/// <summary>The dashboard's table of contents: what it is made of, and what a request passes through.</summary>
internal static class DashboardApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem of its own settings.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddOrdersHost("orders-dashboard");
        builder.Services.AddOrdersStore(builder.Configuration, DatabaseOptions.Dashboard, atLeast: 2).AddReplays().AddSingleton<OrderCancellation>();
        builder.Services.AddRelay(builder.Configuration);
        builder.Services.AddFailures(builder.Configuration).AddOrderFailures().AddTopologyCheck(builder.Configuration);
        builder.Services.AddOperatorAuth();
        builder.Services.AddOperatorApi();
        builder.Services.AddPages(builder.Configuration);

        var app = builder.Build();

        // From the outside in: whatever goes wrong becomes a problem; then who is it, may they.
        app.UseMiddleware<ApiProblems>();
        app.UseMiddleware<PageProblems>();
        app.UseResponseCompression();
        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();

        app.MapOperatorApi();
        app.MapPages();
        app.MapOrdersHost();
        return app;
    }
}
