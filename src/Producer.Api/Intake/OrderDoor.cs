using System.Security.Cryptography;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Orders.Intake;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Catalogue;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Intake;

/// <summary>What is posted, alone or in a batch, comes in through here: checked, priced, stored. Promise: an order is answered as accepted only after its commit.</summary>
internal sealed class OrderDoor(CurrentPrices prices, OutboxCap outbox, OrderIntake intake, TimeProvider time, UnavailableLog unavailable, ILogger<OrderDoor> log)
{
    /// <summary>The largest body of an order, in bytes.</summary>
    public const int LargestOrder = 64 * 1024;

    // Longer than the database's own command timeout, shorter than the time that a stopping host is given.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    /// <summary>Checks an order.</summary>
    /// <param name="body">The body as it came.</param>
    /// <param name="caller">Who posts it.</param>
    /// <param name="key">Its Idempotency-Key; null when it has none.</param>
    /// <param name="order">The order, ready to be stored; null when there is a problem.</param>
    /// <returns>Why it is refused; null when it is not.</returns>
    public Problem? TryPrepare(ReadOnlySpan<byte> body, Caller caller, string? key, out NewOrder? order)
    {
        order = null;
        if (prices.List is not { } list)
            return Unavailable.NotReady();
        if (OrderBody.Read(body, out var draft) is { IsEmpty: false } misshapen)
            return new Problem(ProblemKinds.MalformedBody, "Every fault is listed under errors, by JSON pointer; the shape of an order is described at /docs.", misshapen);
        if (OrderRules.Check(draft, list, time.GetUtcNow(), out var lines, out var releaseAt) is { } meaningless)
            return new Problem(ProblemKinds.InvalidOrder, "Every fault is listed under errors, by JSON pointer.", meaningless);

        order = new NewOrder
        {
            ClientId = caller.ClientId,
            CustomerName = draft.CustomerName,
            CustomerEmail = draft.CustomerEmail,
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
            BodyHash = key is null ? [] : SHA256.HashData(body),
            RequiredSteps = list.RequiredSteps,
        };
        return null;
    }

    /// <summary>Stores an order.</summary>
    /// <returns>What became of it; the problem when it was refused, or when nobody knows.</returns>
    public async Task<(Problem? Problem, IntakeResult? Result)> StoreAsync(NewOrder order)
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
            // Neither accepted nor refused: the commit may have happened although its answer got lost. Only the key can tell, on the next try.
            DatabaseFaultMetrics.Count(exception);
            unavailable.Say(log, "POST", exception);
            return (Unavailable.Database(), null);
        }
    }

    private static Problem? ProblemOf(IntakeOutcome outcome) => outcome switch
    {
        IntakeOutcome.KeyUsedForAnotherBody => new Problem(ProblemKinds.KeyReused, "Use a new key for a new order; a key stands for one body for ever."),
        IntakeOutcome.KeyInFlight => new Problem(ProblemKinds.KeyInFlight, "Wait for the answer to the first request, or repeat this one.", RetryAfter: TimeSpan.FromSeconds(1)),
        _ => null,
    };

    private static bool LeavesOutcomeOpen(Exception exception) => exception is TimeoutException or ObjectDisposedException || DatabaseFault.MayPass(exception);
}
