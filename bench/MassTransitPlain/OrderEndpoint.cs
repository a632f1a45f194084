using MassTransit;

namespace Orders.Bench.MassTransitPlain;

public sealed record Customer(string Name, string Email);

public sealed record OrderRequest(Customer Customer, OrderLine[] Lines, bool Premium);

public static class OrderEndpoint
{
    public static void Map(WebApplication app) => app.MapPost("/orders", Post);

    // A crash between the two awaits leaves an order that no step ever hears of: that is what "without outbox" means.
    private static async Task<IResult> Post(
        OrderRequest order,
        OrderStore store,
        IPublishEndpoint bus,
        CancellationToken cancel
    )
    {
        if (order.Lines is not { Length: > 0 and <= 100 } || string.IsNullOrWhiteSpace(order.Customer?.Email))
            return Results.Problem(
                "expected a customer with an email and 1–100 lines",
                statusCode: StatusCodes.Status400BadRequest
            );

        var id = await store.SaveAsync(order, cancel);
        await bus.Publish(new OrderAccepted(id, order.Customer.Email, order.Premium, order.Lines), cancel);
        return Results.Accepted(
            $"/orders/{id}",
            new { id = id.ToString(System.Globalization.CultureInfo.InvariantCulture), status = "Accepted" }
        );
    }
}
