using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Routing;

namespace Orders.Producer.Api.Webhooks;

/// <summary>The map of the web hooks: every address, the scope it asks for, what it takes and answers.</summary>
internal static class WebhookRoutes
{
    private const string Json = "application/json";
    private const string Tag = "Web hooks";

    /// <summary>Adds the endpoints.</summary>
    public static IServiceCollection AddWebhookEndpoints(this IServiceCollection services) =>
        services.AddSingleton<WebhookRules>().AddSingleton<WebhookTestLimit>().AddSingleton<WebhookEndpoints>();

    /// <summary>Maps the endpoints.</summary>
    public static void MapWebhooks(this WebApplication app)
    {
        var endpoints = app.Of<WebhookEndpoints>();
        app.MapPost("/webhooks", (Delegate)endpoints.AddAsync)
            .Needs(Scopes.Webhooks)
            .Reads(WebhookEndpoints.LargestBody)
            .Describe(
                "PostWebhook",
                "Register a web hook",
                "Events of your orders are posted to the address, signed as in Standard Webhooks. The secret is in this answer only.",
                Tag
            )
            .Accepts<WebhookRequest>(Json)
            .Produces<WebhookWithSecret>(201, Json)
            .Refuses(400, 401, 403, 409, 413, 415, 422, 429, 503);

        app.MapGet("/webhooks", (Delegate)endpoints.ListAsync)
            .Needs(Scopes.Read)
            .Describe("ListWebhooks", "List your web hooks", "The oldest first, at most ten.", Tag)
            .Produces<WebhookAnswer[]>(200, Json)
            .Refuses(401, 403, 429, 503);

        app.MapGet("/webhooks/{id:guid}", endpoints.FindAsync)
            .Needs(Scopes.Read)
            .Describe("GetWebhook", "Look at a web hook", "Its address and events, without its secret.", Tag)
            .Produces<WebhookAnswer>(200, Json)
            .Refuses(401, 403, 404, 429, 503);

        app.MapDelete("/webhooks/{id:guid}", endpoints.RemoveAsync)
            .Needs(Scopes.Webhooks)
            .Describe(
                "DeleteWebhook",
                "Remove a web hook",
                "Nothing more is sent to it. Deliveries that are under way end as Rejected.",
                Tag
            )
            .Produces(204)
            .Refuses(401, 403, 404, 429, 503);

        app.MapPost("/webhooks/{id:guid}/rotate-secret", endpoints.RotateAsync)
            .Needs(Scopes.Webhooks)
            .Describe(
                "RotateWebhookSecret",
                "Get a new secret",
                "Both secrets sign for 24 hours: change yours within that time. The secret is in this answer only.",
                Tag
            )
            .Produces<WebhookWithSecret>(200, Json)
            .Refuses(401, 403, 404, 429, 503);

        app.MapPost("/webhooks/{id:guid}/test", endpoints.TestAsync)
            .Needs(Scopes.Webhooks)
            .Describe(
                "TestWebhook",
                "Send a test event",
                "An event webhook.test takes the way of all events. Its delivery is in the log. A client sends at most ten in a minute.",
                Tag
            )
            .Produces<TestedWebhook>(202, Json)
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/webhooks/{id:guid}/deliveries", endpoints.DeliveriesAsync)
            .Needs(Scopes.Read)
            .Describe("ListWebhookDeliveries", "See the last deliveries", "The newest first, at most 100.", Tag)
            .Produces<DeliveryAnswer[]>(200, Json)
            .Refuses(401, 403, 404, 429, 503);
    }
}
