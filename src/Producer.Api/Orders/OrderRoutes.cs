using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;

namespace Orders.Producer.Api.Orders;

/// <summary>The map of the API: every address, the scope it asks for, what it takes and what it answers.</summary>
internal static class OrderRoutes
{
    private const string Json = "application/json";

    /// <summary>Adds the endpoints.</summary>
    public static IServiceCollection AddOrderEndpoints(this IServiceCollection services) =>
        services
            .AddSingleton<PostOrder>()
            .AddSingleton<PostOrderBatch>()
            .AddSingleton<GetOrder>()
            .AddSingleton<ListOrders>()
            .AddSingleton<CancelOrder>()
            .AddSingleton<GetOrderPdf>()
            .AddSingleton<GetOrderEvents>()
            .AddSingleton<GetCatalogue>();

    /// <summary>Maps the endpoints.</summary>
    public static void MapOrders(this WebApplication app)
    {
        app.MapPost("/orders", (Delegate)Of<PostOrder>(app).HandleAsync)
            .Needs(Scopes.Write)
            .Describe(
                "PostOrder",
                "Post an order",
                "Answers when the order is stored; the work on it follows. Send an Idempotency-Key to be able to repeat the request."
            )
            .Accepts<OrderRequest>(Json)
            .Produces<AcceptedOrder>(202, Json)
            .Refuses(400, 401, 403, 409, 413, 415, 422, 429, 503);

        app.MapPost("/orders/batch", (Delegate)Of<PostOrderBatch>(app).HandleAsync)
            .Needs(Scopes.Write)
            .Describe(
                "PostOrderBatch",
                "Post up to 500 orders",
                "Each order stands for itself: the results come in the order of the orders, accepted or refused. Give each order an idempotencyKey to be able to repeat the request."
            )
            .Accepts<BatchRequest>(Json)
            .Produces<BatchAnswer>(200, Json)
            .Refuses(400, 401, 403, 413, 415, 429, 503);

        app.MapGet("/orders", Of<ListOrders>(app).HandleAsync)
            .Needs(Scopes.Read)
            .Describe("ListOrders", "List your orders", "The newest first. Follow nextCursor for more.")
            .Produces<OrderPage>(200, Json)
            .Refuses(400, 401, 403, 429, 503);

        app.MapGet("/orders/{id:guid}", Of<GetOrder>(app).HandleAsync)
            .Needs(Scopes.Read)
            .Describe(
                "GetOrder",
                "Look at an order",
                "The order, how far each of its steps is, and its invoice once there is one."
            )
            .Produces<OrderAnswer>(200, Json)
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/orders/{id:guid}/invoice.pdf", Of<GetOrderPdf>(app).InvoiceAsync)
            .Needs(Scopes.Read)
            .Describe("GetInvoicePdf", "Fetch an order's invoice", "The document; its SHA-256 is the ETag.")
            .Produces(200, contentType: "application/pdf")
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/orders/{id:guid}/credit-note.pdf", Of<GetOrderPdf>(app).CreditNoteAsync)
            .Needs(Scopes.Read)
            .Describe(
                "GetCreditNotePdf",
                "Fetch the credit note of a cancelled order",
                "The document that takes the invoice back; its SHA-256 is the ETag."
            )
            .Produces(200, contentType: "application/pdf")
            .Refuses(401, 403, 404, 429, 503);

        app.MapPost("/orders/{id:guid}/cancel", (Delegate)Of<CancelOrder>(app).HandleAsync)
            .Needs(Scopes.Write)
            .Describe(
                "CancelOrder",
                "Cancel an order",
                "What was not begun is left out, what was done is undone: stock, invoice, pick list. 202 when it is cancelled now, 200 when it was before."
            )
            .Produces<OrderAnswer>(202, Json)
            .Produces<OrderAnswer>(200, Json)
            .Refuses(401, 403, 404, 409, 429, 503);

        app.MapGet("/orders/{id:guid}/events", Of<GetOrderEvents>(app).HandleAsync)
            .Needs(Scopes.Read)
            .Describe(
                "GetOrderEvents",
                "Watch an order",
                "Server-sent events, order and step: first where everything stands, then one per change, until the order has ended."
            )
            .Produces(200, contentType: "text/event-stream")
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/catalogue", (Delegate)Of<GetCatalogue>(app).HandleAsync)
            .Needs(Scopes.Read)
            .Describe("GetCatalogue", "See what can be ordered", "All articles with prices and stock.")
            .Produces<CatalogueArticle[]>(200, Json)
            .Refuses(401, 403, 429, 503);
    }

    private static T Of<T>(WebApplication app)
        where T : notnull => app.Services.GetRequiredService<T>();

    private static RouteHandlerBuilder Needs(this RouteHandlerBuilder route, Scopes scope) =>
        route.WithMetadata(new RequiredScope(scope));

    private static RouteHandlerBuilder Describe(
        this RouteHandlerBuilder route,
        string name,
        string summary,
        string description
    ) => route.WithName(name).WithSummary(summary).WithDescription(description).WithTags("Orders");

    private static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
            route.Produces<ProblemAnswer>(status, Problems.Problem.ContentType);
        return route;
    }
}
