using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Routing;

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
        app.MapPost("/orders", (Delegate)app.Of<PostOrder>().HandleAsync)
            .Needs(Scopes.Write)
            .Reads(OrderSubmission.LargestOrder)
            .Describe(
                "PostOrder",
                "Post an order",
                "Answers when the order is stored; the work on it follows. Send an Idempotency-Key to be able to repeat the request."
            )
            .Accepts<OrderRequest>(Json)
            .Produces<AcceptedOrder>(202, Json)
            .Refuses(400, 401, 403, 409, 413, 415, 422, 429, 503);

        app.MapPost("/orders/batch", (Delegate)app.Of<PostOrderBatch>().HandleAsync)
            .Needs(Scopes.Write)
            .Reads(PostOrderBatch.LargestBody)
            .Describe(
                "PostOrderBatch",
                "Post up to 500 orders",
                "Each order stands for itself: the results come in the order of the orders, accepted or refused. Give each order an idempotencyKey to be able to repeat the request."
            )
            .Accepts<BatchRequest>(Json)
            .Produces<BatchAnswer>(200, Json)
            .Refuses(400, 401, 403, 413, 415, 429, 503);

        app.MapGet("/orders", app.Of<ListOrders>().HandleAsync)
            .Needs(Scopes.Read)
            .Describe("ListOrders", "List your orders", "The newest first. Follow nextCursor for more.")
            .Produces<OrderPage>(200, Json)
            .Refuses(400, 401, 403, 429, 503);

        app.MapGet("/orders/{id:guid}", app.Of<GetOrder>().HandleAsync)
            .Needs(Scopes.Read)
            .Describe(
                "GetOrder",
                "Look at an order",
                "The order, how far each of its steps is, and its invoice once there is one."
            )
            .Produces<OrderAnswer>(200, Json)
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/orders/{id:guid}/invoice.pdf", app.Of<GetOrderPdf>().InvoiceAsync)
            .Needs(Scopes.Read)
            .Describe("GetInvoicePdf", "Fetch an order's invoice", "The document; its SHA-256 is the ETag.")
            .Produces(200, contentType: "application/pdf")
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/orders/{id:guid}/credit-note.pdf", app.Of<GetOrderPdf>().CreditNoteAsync)
            .Needs(Scopes.Read)
            .Describe(
                "GetCreditNotePdf",
                "Fetch the credit note of a cancelled order",
                "The document that takes the invoice back; its SHA-256 is the ETag."
            )
            .Produces(200, contentType: "application/pdf")
            .Refuses(401, 403, 404, 429, 503);

        app.MapPost("/orders/{id:guid}/cancel", (Delegate)app.Of<CancelOrder>().HandleAsync)
            .Needs(Scopes.Write)
            .Describe(
                "CancelOrder",
                "Cancel an order",
                "What was not begun is left out, what was done is undone: stock, invoice, pick list. 202 when it is cancelled now, 200 when it was before."
            )
            .Produces<OrderAnswer>(202, Json)
            .Produces<OrderAnswer>(200, Json)
            .Refuses(401, 403, 404, 409, 429, 503);

        app.MapGet("/orders/{id:guid}/events", app.Of<GetOrderEvents>().HandleAsync)
            .Needs(Scopes.Read)
            .WithMetadata(new EventStream())
            .Describe(
                "GetOrderEvents",
                "Watch an order",
                "Server-sent events, order and step: first where everything stands, then one per change, until the order has ended."
            )
            .Produces(200, contentType: "text/event-stream")
            .Refuses(401, 403, 404, 429, 503);

        app.MapGet("/catalogue", (Delegate)app.Of<GetCatalogue>().HandleAsync)
            .Needs(Scopes.Read)
            .Describe("GetCatalogue", "See what can be ordered", "All articles with prices and stock.")
            .Produces<CatalogueArticle[]>(200, Json)
            .Refuses(401, 403, 429, 503);
    }
}
