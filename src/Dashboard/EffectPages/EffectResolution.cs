using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Dashboard.EffectPages;

/// <summary>
/// An operator's word on an effect of which nobody knows whether it happened: from the list of them and from the
/// order's page.
/// </summary>
internal static class EffectResolution
{
    /// <summary>Settles it, through the class that the operator API uses.</summary>
    /// <param name="order">What it belongs to.</param>
    /// <param name="effect">Its name.</param>
    /// <param name="back">The page the form stands on.</param>
    /// <param name="http">The request.</param>
    /// <param name="effects">Settles.</param>
    /// <param name="search">Finds the effect's message.</param>
    public static async Task<IResult> SettleAsync(
        Guid order,
        string effect,
        string back,
        HttpContext http,
        UncertainEffects effects,
        FailureSearch search
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back(back, Form.SayWhy);
        bool? happened = (await http.Request.ReadFormAsync(http.RequestAborted))["happened"].ToString() switch
        {
            "yes" => true,
            "no" => false,
            _ => null,
        };
        if (happened is not { } it)
            return Form.Back(back, "Nothing was changed: say whether it happened.");
        var record = Actor
            .Of(http)
            .Did("settle-effect", $"{effect} of {order}: {(it ? "it happened" : "it did not happen")}", reason);
        if (await effects.SettleAsync(order, effect, it, record, http.RequestAborted) is not var (step, message))
            return Form.Back(back, $"Nothing was changed: {effect} is not uncertain any more.");
        if (it)
            return Form.Back(back, $"{effect} counts as done.");

        // Dying here leaves the message dead-lettered with nothing in its way: it is redriven like any other.
        return await search.DeadLetteredAsync(message, step, http.RequestAborted) is { } failure
            ? Form.Back(
                Page.Address("/redrives/new", ("ids", failure)),
                $"{effect} did not happen; its message may be sent again."
            )
            : Form.Back(
                back,
                $"{effect} did not happen. Its message is not dead-lettered any more: restore it, or replay the step for this order."
            );
    }
}
