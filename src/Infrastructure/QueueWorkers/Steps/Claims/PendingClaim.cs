namespace QueueWorkers.Steps.Claims;

/// <summary>
/// A claim that is on its way to the database: the run does not know yet whether the effect is its own.
/// </summary>
/// <param name="Effect">The effect's name.</param>
/// <param name="Lease">The length of the lease, which no other claim has.</param>
/// <param name="Commit">The commit, which nothing cancels.</param>
internal sealed record PendingClaim(string Effect, TimeSpan Lease, Task<ClaimAnswer?> Commit);
