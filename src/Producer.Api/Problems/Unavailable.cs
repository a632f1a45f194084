namespace Orders.Producer.Api.Problems;

/// <summary>Refusals that pass by themselves.</summary>
internal static class Unavailable
{
    /// <summary>The database cannot be used, or it is not known whether it committed.</summary>
    public static Problem Database() =>
        new(
            ProblemKinds.Unavailable,
            "The database did not answer, so it is not known whether the request was carried out. Repeat it with the same Idempotency-Key: an order is never made twice.",
            RetryAfter: TimeSpan.FromSeconds(2)
        );

    /// <summary>A flood of unknown keys waits for the database.</summary>
    public static Problem KeysBusy() =>
        new(
            ProblemKinds.Unavailable,
            "Too many unknown API keys are being looked up, so this one was not. Nothing was done; repeat the request later.",
            RetryAfter: TimeSpan.FromSeconds(2)
        );

    /// <summary>The catalogue has not been read yet, or no steps are deployed.</summary>
    public static Problem NotReady() =>
        new(
            ProblemKinds.Unavailable,
            "The catalogue and the steps have not been read from the database yet; see /health/ready.",
            RetryAfter: TimeSpan.FromSeconds(2)
        );

    /// <summary>The outbox has reached its cap.</summary>
    public static Problem OutboxFull() =>
        new(
            ProblemKinds.OutboxFull,
            "Orders are kept until the broker takes them, and the space for that is used up. Repeat the request later.",
            RetryAfter: TimeSpan.FromSeconds(10)
        );
}
