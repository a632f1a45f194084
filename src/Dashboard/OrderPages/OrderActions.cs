using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Operators;
using Orders.Infrastructure.Orders.Cancelling;

namespace Orders.Dashboard.OrderPages;

/// <summary>What an operator can do to one order: cancel it, and say of an uncertain effect whether it happened. Through the classes that the operator API uses; each commits its audit record with the change.</summary>
internal static class OrderActions
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapPost("/orders/{id:guid}/cancel", CancelAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/orders/{id:guid}/effects/{effect}/settle", SettleAsync).Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> CancelAsync(Guid id, HttpContext http, OrderCancellation cancellation)
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/orders/{id}", Form.SayWhy);
        return Form.Back($"/orders/{id}", await cancellation.CancelAsync(id, clientId: null, http.RequestAborted, Actor.Of(http).Did("cancel order", $"order {id}", reason)) switch
        {
            CancelOutcome.Cancelled => "The order is cancelled. What was not begun is left out; what was done is being undone.",
            CancelOutcome.AlreadyCancelled => "Nothing was changed: it was cancelled before.",
            CancelOutcome.Completed => "Nothing was changed: every step of the order is done, the goods are on their way.",
            CancelOutcome.Rejected => "Nothing was changed: the order was rejected, there is nothing to cancel.",
            _ => "There is no such order.",
        });
    }

    private static async Task<IResult> SettleAsync(Guid id, string effect, HttpContext http, UncertainEffects effects, FailureSearch search)
    {
        var happened = (await http.Request.ReadFormAsync(http.RequestAborted))["happened"] == "yes";
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/orders/{id}", Form.SayWhy);
        var record = Actor.Of(http).Did("settle-effect", $"{effect} of {id}: {(happened ? "it happened" : "it did not happen")}", reason);
        if (await effects.SettleAsync(id, effect, happened, record, http.RequestAborted) is not var (step, message))
            return Form.Back($"/orders/{id}", $"Nothing was changed: {effect} is not uncertain any more.");
        if (happened)
            return Form.Back($"/orders/{id}", $"{effect} counts as done.");

        // Dying here leaves the message parked with nothing in its way: it is redriven like any other.
        return await search.ParkedAsync(message, step, http.RequestAborted) is { } failure
            ? Results.Redirect(Page.Address("/redrives/new", ("ids", failure), ("done", $"{effect} did not happen; its message may be sent again.")))
            : Form.Back($"/orders/{id}", $"{effect} did not happen. Its message is not parked any more: restore it, or replay the step for this order.");
    }
}
