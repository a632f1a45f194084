using Orders.Infrastructure;
using Orders.Infrastructure.Intake;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Intake;
using Orders.Producer.Api.Json;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>POST /orders</c>: takes one order. The hot path: the body is read once, parsed by hand, and nothing is looked up
/// in the database before the commit. Only an order that is refused is looked for, by its key.
/// </summary>
internal sealed class PostOrder(OrderSubmission door)
{
    public async Task HandleAsync(HttpContext context)
    {
        if (PlainJson.FaultIn(context.Request) is { } unreadable)
        {
            await unreadable.AnswerAsync(context);
            return;
        }

        if (IdempotencyKey.TryRead(context.Request, out var key) is { } unusable)
        {
            await unusable.AnswerAsync(context);
            return;
        }

        PreparedOrder prepared;
        using (var body = await RequestBody.ReadAsync(context, OrderSubmission.LargestOrder))
            prepared = body.Problem is { } unread
                ? PreparedOrder.Refused(unread)
                : door.Prepare(body.Bytes.Span, Caller.Of(context), key);

        var (refusal, result) = await door.TakeAsync(prepared);
        await (refusal is not null ? RequestBodyDrain.RefuseAsync(context, refusal) : AnswerAsync(context, result!));
    }

    private static Task AnswerAsync(HttpContext context, IntakeResult result)
    {
        var answer = AcceptedOrder.Of(result.Order!);
        context.Response.Headers.Location = $"/orders/{answer.Id}";
        if (result.Outcome == IntakeOutcome.Replayed)
            context.Response.Headers[IdempotencyKey.ReplayedHeader] = "true";
        return JsonAnswer.WriteAsync(context, StatusCodes.Status202Accepted, answer, ApiJson.Default.AcceptedOrder);
    }
}

/// <summary>An order that was accepted: it is stored, and its steps will be done.</summary>
/// <param name="Id">The order's id.</param>
/// <param name="Number">The order's number, for people.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Total">Sum of its lines.</param>
/// <param name="Currency">EUR, USD or GBP.</param>
/// <param name="CreatedAt">When it was accepted.</param>
public sealed record AcceptedOrder(
    Guid Id,
    string Number,
    OrderStatus Status,
    decimal Total,
    string Currency,
    DateTime CreatedAt
)
{
    internal static AcceptedOrder Of(StoredOrder order) =>
        new(
            order.Id,
            OrderNumber.Format(order.Number),
            order.Status,
            order.Total,
            order.Currency,
            order.CreatedAt.UtcDateTime
        );
}
