using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Orders;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Orders;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api;

/// <summary>The API's table of contents: what it is made of, and what a request passes through.</summary>
internal static class ApiApplication
{
    /// <summary>Puts it together.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem of its own settings.</exception>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddOrdersHost("orders-api");
        builder.WebHost.ConfigureKestrel(ConnectionLimits.Apply);

        // What orders are stored in, what takes them in, and what brings their messages to the broker.
        builder.Services.AddOrdersStore(builder.Configuration, DatabaseOptions.Api).AddOrderIntake();
        builder.Services.AddRelay(builder.Configuration);
        builder.Services.AddOrderFeeding();

        // The API: keys, catalogue, limits, endpoints, documentation.
        builder.Services.AddApi(builder.Configuration);
        builder.Services.AddOrderEndpoints();
        builder.Services.AddApiDescription();

        var app = builder.Build();

        // From the outside in: whatever goes wrong becomes a problem; then who is it, may they, how often.
        app.UseMiddleware<ProblemPages>();
        app.UseRouting();
        app.UseMiddleware<ApiKeyAuthentication>();
        app.UseMiddleware<RateLimiting>();

        app.MapOrders();
        app.MapOrdersHost();
        app.MapDocs();
        return app;
    }
}
