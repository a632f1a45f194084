using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>POST /orders/{id}/cancel</c>: 202 with the order when it is cancelled now (what was done is being undone), 200
/// when it had been cancelled before.
/// Asking twice is the same as asking once, so a client without an answer simply asks again.
/// </summary>
internal sealed class CancelOrder(OrderCancellation cancellation, OrderViewReader reader)
{
    public async Task HandleAsync(HttpContext context, Guid id)
    {
        var client = Caller.Of(context).ClientId;
        switch (await cancellation.CancelAsync(id, client, context.RequestAborted))
        {
            case CancelOutcome.NotFound:
                await GetOrder.NotFound.AnswerAsync(context);
                break;
            case CancelOutcome.Completed:
                await new Problem(
                    ProblemKinds.OrderNotCancellable,
                    "Every step of the order is done: the goods are on their way."
                ).AnswerAsync(context);
                break;
            case CancelOutcome.Rejected:
                await new Problem(
                    ProblemKinds.OrderNotCancellable,
                    "The order was rejected: there is nothing to cancel."
                ).AnswerAsync(context);
                break;
            case var outcome:
                var view =
                    await reader.FindAsync(id, client, context.RequestAborted)
                    ?? throw new InvalidOperationException($"Order {id} was cancelled a moment ago and is not there.");
                var status =
                    outcome == CancelOutcome.Cancelled ? StatusCodes.Status202Accepted : StatusCodes.Status200OK;
                await JsonAnswer.WriteAsync(context, status, OrderAnswer.Of(view), ApiJson.Default.OrderAnswer);
                break;
        }
    }
}
