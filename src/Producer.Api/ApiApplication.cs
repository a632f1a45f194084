using Orders.Infrastructure;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Orders;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Webhooks;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Routes;

namespace Orders.Producer.Api;

/// <summary>The API's table of contents: what it is made of, and what a request passes through.</summary>
internal static class ApiApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        new ConfigurationProblems()
            .Collect(() => builder.AddWorkerHost("orders-api", OrdersSettings.Known))
            // What orders are stored in, what takes them in, and what brings their messages to the broker.
            .Collect(() => builder.Services.AddOrdersStore(builder.Configuration, DatabaseOptions.Api).AddOrderIntake())
            .Collect(() => builder.Services.AddPersonalDataHash(builder.Configuration))
            .Collect(() => builder.Services.AddRelay(builder.Configuration).AddOrderFeeding())
            // The API: keys, catalogue, limits.
            .Collect(() => builder.Services.AddApi(builder.Configuration))
            .ThrowIfAny();
        builder.WebHost.ConfigureKestrel(ConnectionLimits.Apply);
        builder.Services.AddOrderEndpoints().AddWebhookEndpoints();
        builder.Services.AddApiDescription();

        var app = builder.Build();

        // From the outside in: whatever goes wrong becomes a problem; then who is it, may they, how often, how much.
        app.UseHsts();
        app.UseMiddleware<ProblemPages>();
        app.UseRouting();
        app.UseRouteGuards();
        app.UseMiddleware<ApiKeyAuthentication>();
        app.UseMiddleware<RateLimiting>();
        app.UseMiddleware<ClientLoadLimiting>();

        app.MapOrders();
        app.MapWebhooks();
        app.MapWorkerHost();
        app.MapDocs();
        return app;
    }
}
