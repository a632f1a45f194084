using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Waiting;

/// <summary>Causes of waiting, in words.</summary>
internal static class WaitingWords
{
    /// <summary>As the end of a sentence: "10 by a rate limit".</summary>
    public static string Of(string cause) =>
        cause switch
        {
            WaitingMessages.Redelivery => "after a failed attempt",
            "retry-budget" => "by the retry budget",
            "rate-limit" => "by a rate limit",
            "breaker" => "because a dependency is down",
            "closed" => "because the step was paused or its limits changed",
            "database" => "after a database fault",
            "effect-in-progress" => "behind another run of the same effect",
            "delay" => "because the step asked for a delay",
            _ => $"by {cause}",
        };

    /// <summary>As a word of a table.</summary>
    public static string Head(string cause) =>
        cause switch
        {
            WaitingMessages.Redelivery => "Waiting for retry",
            "retry-budget" => "Deferred: retry budget",
            "rate-limit" => "Deferred: rate limit",
            "breaker" => "Deferred: breaker",
            "closed" => "Deferred: step closed",
            "database" => "Deferred: database",
            "effect-in-progress" => "Deferred: effect in progress",
            "delay" => "Deferred: delay",
            _ => $"Deferred: {cause}",
        };
}
