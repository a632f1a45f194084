using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;

namespace Orders.Dashboard.Failures;

/// <summary>
/// One failure: shown, with what is personal only to an admin who says why; and sent again with another payload.
/// </summary>
internal static class FailureChanges
{
    /// <summary>The page of a failure.</summary>
    public static async Task<IResult> ShowAsync(
        Guid id,
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        Loader loader,
        bool revealed = false,
        string? typed = null,
        string? change = null,
        string? why = null
    )
    {
        var failure = await loader.LoadAsync(
            "the failure",
            async token => new Found(await search.FindAsync(id, token)),
            http.RequestAborted
        );
        if (failure is { Fault: null, Value.Failure: null })
            return Page.Of<Message>(
                new { Title = "No such failure", Detail = $"There is no failure {id}; retention may have removed it." },
                StatusCodes.Status404NotFound
            );
        var numbers = failure.Value?.Failure?.SubjectId is { } order
            ? (
                await loader.LoadAsync(
                    "the order's number",
                    token => orders.NumbersAsync([order], token),
                    http.RequestAborted
                )
            ).Value
            : null;
        var similar = failure.Value?.Failure is { } found
            ? (
                await loader.LoadAsync(
                    "the similar failures",
                    token => search.SimilarAsync(found, token),
                    http.RequestAborted
                )
            ).Value
            : null;
        return Page.Of<FailurePageView>(
            new
            {
                Id = id,
                Similar = similar,
                Of = new Loaded<Failure>(failure.Value?.Failure, failure.Fault, failure.TraceId),
                Number = numbers?.Values.FirstOrDefault(),
                Revealed = revealed,
                Typed = typed,
                Change = change,
                Why = why,
            }
        );
    }

    /// <summary>Shows everything, once.</summary>
    public static async Task<IResult> RevealAsync(
        Guid id,
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        AuditLog audit,
        Loader loader
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/failures/{id}", Form.SayWhy);
        await Unmasking.RecordAsync(audit, Actor.Of(http), id, reason, http.RequestAborted);
        return await ShowAsync(id, http, search, orders, loader, revealed: true);
    }

    /// <summary>Compares a changed payload with the original, or sends it.</summary>
    public static async Task<IResult> EditAsync(
        Guid id,
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        PayloadEdits edits,
        Redrives redrives,
        IMessageContracts contracts,
        AuditLog audit,
        Loader loader
    )
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (typed, reason) = (form["payload"].ToString(), await Form.ReasonAsync(http));
        if (await search.FindAsync(id, http.RequestAborted) is not { } failure)
            return Form.Back("/failures", "The failure is gone.");

        // What the change shows of the original is a look at it like any other.
        var hides = ShownPayload.Masked(failure, contracts).Hides;
        if (reason is null && (hides || form["do"] == "send"))
            return Form.Back($"/failures/{id}", Form.SayWhy);
        string diff,
            payload;
        try
        {
            payload = edits.Checked(failure, typed);
            diff = PayloadDiff.Between(failure.Payload, payload);
        }
        catch (Exception unfit) when (unfit is InvalidPayloadException or JsonException)
        {
            return Form.Back($"/failures/{id}", $"Nothing was sent: {unfit.Message}");
        }

        if (form["do"] != "send")
        {
            if (hides)
                await Unmasking.RecordAsync(audit, Actor.Of(http), id, reason!, http.RequestAborted);
            return await ShowAsync(id, http, search, orders, loader, revealed: true, typed, diff, reason);
        }

        // With masks: the record is for ever, and everybody may read it.
        var changed = PayloadMask
            .OfDifferences(
                JsonNode.Parse(diff),
                ShownPayload.ContractOf(failure.MessageType, contracts),
                failure.Payload is null ? null : JsonNode.Parse(failure.Payload)
            )
            .ToJsonString();
        var (made, refused) = await redrives.CreateAsync(
            new RedriveRequest
            {
                Filter = new FailureFilter { Ids = [id] },
                Reason = reason!,
                Canary = 0,
                Start = true,
            },
            Actor.Of(http).Did("edit and redrive", reason: $"{reason} (changed: {changed})"),
            payload,
            http.RequestAborted
        );
        return made is not null
            ? Results.Redirect($"/redrives/{made.Redrive.Id}")
            : Form.Back($"/failures/{id}", $"Nothing was sent: {refused!.Detail}");
    }

    private sealed record Found(Failure? Failure);
}
