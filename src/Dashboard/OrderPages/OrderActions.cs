using Orders.Dashboard.Auth;
using Orders.Dashboard.EffectPages;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Cancelling;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace Orders.Dashboard.OrderPages;

/// <summary>
/// What an operator can do to one order: cancel it, and say of an uncertain effect whether it happened. Through the
/// classes that the operator API uses; each commits its audit record with the change.
/// </summary>
internal static class OrderActions
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapPost("/orders/{id:guid}/cancel", CancelAsync).Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/orders/{id:guid}/effects/{effect}/settle",
                (Guid id, string effect, HttpContext http, UncertainEffects effects, FailureSearch search) =>
                    EffectResolution.SettleAsync(id, effect, $"/orders/{id}", http, effects, search)
            )
            .Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> CancelAsync(Guid id, HttpContext http, OrderCancellation cancellation)
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/orders/{id}", Form.SayWhy);
        return Form.Back(
            $"/orders/{id}",
            await cancellation.CancelAsync(
                id,
                clientId: null,
                http.RequestAborted,
                Actor.Of(http).Did("cancel order", $"order {id}", reason)
            ) switch
            {
                CancelOutcome.Cancelled =>
                    "The order is cancelled. Steps that have not begun are skipped; steps that are done are being undone.",
                CancelOutcome.AlreadyCancelled => "Nothing was changed: it was cancelled before.",
                CancelOutcome.Completed =>
                    "Nothing was changed: every step of the order is done, the goods are on their way.",
                CancelOutcome.Rejected => "Nothing was changed: the order was rejected, there is nothing to cancel.",
                _ => "There is no such order.",
            }
        );
    }
}
