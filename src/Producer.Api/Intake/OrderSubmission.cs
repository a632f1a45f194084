using Orders.Infrastructure;
using Orders.Infrastructure.Intake;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Catalogue;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.PersonalData;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// What is posted, alone or in a batch, comes in through here: checked, priced, stored. Promise: an order is answered
/// as accepted only after its commit.
/// </summary>
internal sealed class OrderSubmission(
    CurrentPrices prices,
    Backpressure outbox,
    OrderIntake intake,
    KeyRecall recall,
    TimeProvider time,
    PersonalDataHash personal,
    UnavailableLog unavailable,
    ILogger<OrderSubmission> log
)
{
    /// <summary>The largest body of an order, in bytes.</summary>
    public const int LargestOrder = 64 * 1024;

    // Longer than the database's own command timeout, shorter than the time that a stopping host is given.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    /// <summary>Checks an order that is posted alone.</summary>
    /// <param name="body">The body as it came.</param>
    /// <param name="caller">Who posts it.</param>
    /// <param name="key">Its Idempotency-Key; null when it has none.</param>
    public PreparedOrder Prepare(ReadOnlySpan<byte> body, Caller caller, string? key)
    {
        var misshapen = OrderBody.Read(body, out var draft);
        return Prepare(body, draft, misshapen, caller, key);
    }

    /// <summary>Checks an order of a batch, which has its Idempotency-Key as a member.</summary>
    /// <param name="body">The order's part of the batch, as it came.</param>
    /// <param name="caller">Who posts it.</param>
    public PreparedOrder PrepareOfBatch(ReadOnlySpan<byte> body, Caller caller)
    {
        var misshapen = OrderBody.ReadOfBatch(body, out var draft);
        if (
            misshapen is not { IsEmpty: false }
            && draft.IdempotencyKey is { } key
            && IdempotencyKey.FaultIn(key) is { } unusable
        )
            return PreparedOrder.Refused(unusable);
        return Prepare(body, draft, misshapen, caller, draft.IdempotencyKey);
    }

    /// <summary>Stores an order, or finds what a refused one became when it was posted before.</summary>
    /// <returns>What became of it; the problem when it was refused, or when nobody knows.</returns>
    public Task<(Problem? Problem, IntakeResult? Result)> TakeAsync(PreparedOrder prepared) =>
        prepared switch
        {
            { Order: { } order } => StoreAsync(order),
            { Key: { } key } => RecallAsync(key, prepared.Refusal),
            _ => Task.FromResult<(Problem?, IntakeResult?)>((prepared.Refusal, null)),
        };

    private PreparedOrder Prepare(
        ReadOnlySpan<byte> body,
        OrderDraft draft,
        FieldErrors? misshapen,
        Caller caller,
        string? key
    )
    {
        if (misshapen is { IsEmpty: false })
            return PreparedOrder.Refused(
                new Problem(
                    ProblemKinds.MalformedBody,
                    "Every fault is listed under errors, by JSON pointer; the shape of an order is described at /docs.",
                    misshapen
                )
            );

        var hash = key is null ? [] : BodyHash.Of(draft, personal);
        var earlier = key is null ? [] : BodyHash.EarlierOf(draft, body, personal);
        var list = prices.List;
        var refusal = Refuse(draft, list, out var lines, out var releaseAt);
        if (refusal is not null)
            return PreparedOrder.Refused(
                refusal,
                key is null ? null : new KeyUse(caller.ClientId, key, hash, earlier, DatabaseClock.NewId())
            );

        return PreparedOrder.Accepted(
            new NewOrder
            {
                ClientId = caller.ClientId,
                CustomerName = draft.CustomerName,
                CustomerEmail = draft.CustomerEmail,
                Locale = draft.Locale ?? CustomerLocale.Default,
                Lines = lines,
                Currency = draft.Currency,
                ShipLine1 = draft.ShipLine1,
                ShipCity = draft.ShipCity,
                ShipPostalCode = draft.ShipPostalCode,
                ShipCountry = draft.ShipCountry,
                Premium = draft.Premium,
                Notes = draft.Notes,
                ReleaseAt = releaseAt,
                IdempotencyKey = key,
                BodyHash = hash,
                EarlierBodyHashes = earlier,
                RequiredSteps = list!.RequiredSteps,
            }
        );
    }

    private Problem? Refuse(OrderDraft draft, PriceList? list, out NewOrderLine[] lines, out DateTimeOffset? releaseAt)
    {
        (lines, releaseAt) = ([], null);
        if (list is null)
            return Unavailable.NotReady();
        return OrderRules.Check(draft, list, time.GetUtcNow(), out lines, out releaseAt) is { } meaningless
            ? new Problem(
                ProblemKinds.InvalidOrder,
                "Every fault is listed under errors, by JSON pointer.",
                meaningless
            )
            : null;
    }

    private async Task<(Problem? Problem, IntakeResult? Result)> StoreAsync(NewOrder order)
    {
        if (outbox.IsReached)
            return (Unavailable.OutboxFull(), null);
        try
        {
            var result = await intake.AcceptAsync(order).WaitAsync(LongestWait);
            return (ProblemOf(result.Outcome), result);
        }
        catch (Exception exception) when (LeavesOutcomeOpen(exception))
        {
            return (Unanswered(exception), null);
        }
    }

    // A key counts before today's catalogue and rules: the order may have been accepted when they were others. Only a
    // refused order costs this round trip; for all others the statement that stores them looks at the key.
    private async Task<(Problem? Problem, IntakeResult? Result)> RecallAsync(KeyUse key, Problem? refusal)
    {
        try
        {
            return await recall.RecallAsync(key).WaitAsync(LongestWait) is { } result
                ? (ProblemOf(result.Outcome), result)
                : (refusal, null);
        }
        catch (Exception exception) when (LeavesOutcomeOpen(exception))
        {
            return (Unanswered(exception), null);
        }
    }

    // Neither accepted nor refused: the commit may have happened although its answer got lost. Only the key can tell, on
    // the next try.
    private Problem Unanswered(Exception exception)
    {
        DatabaseFaultMetrics.Count(exception);
        unavailable.Say(log, "POST", exception);
        return Unavailable.Database();
    }

    private static Problem? ProblemOf(IntakeOutcome outcome) =>
        outcome switch
        {
            IntakeOutcome.KeyUsedForAnotherBody => new Problem(
                ProblemKinds.KeyReused,
                "Use a new key for a new order; a key stands for one body for ever."
            ),
            IntakeOutcome.KeyInFlight => new Problem(
                ProblemKinds.KeyInFlight,
                "Wait for the answer to the first request, or repeat this one.",
                RetryAfter: TimeSpan.FromSeconds(1)
            ),
            _ => null,
        };

    private static bool LeavesOutcomeOpen(Exception exception) =>
        exception is TimeoutException or ObjectDisposedException || DatabaseFault.MayPass(exception);
}
