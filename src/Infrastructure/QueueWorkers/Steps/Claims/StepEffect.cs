using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Claims;

/// <summary>The effect of a run on its subject, which happens at most once for ever.</summary>
public sealed class StepEffect
{
    private readonly StepRun _run;

    internal StepEffect(StepRun run) => _run = run;

    /// <summary>Default: the step's name; a step with several effects names each.</summary>
    public string Name
    {
        get => _run.Effect;
        set => _run.Effect = value;
    }

    /// <summary>Whether it is a secondary effect such as an apology, which does not change the step's status.</summary>
    public bool IsSecondary
    {
        get => _run.IsSecondary;
        set => _run.IsSecondary = value;
    }

    /// <summary>
    /// Call before an external call that must not happen twice and is not idempotent. Commits that the effect is about
    /// to begin, so that a run after a crash knows.
    /// </summary>
    /// <param name="lease">Longer than the call can take; while it lasts no other run begins the effect.</param>
    /// <param name="reference">What to look for in the outside system afterwards, such as the mail's
    /// Message-ID.</param>
    /// <param name="cancellationToken">A run that is cancelled before the claim's commit has ended gets no claim. The
    /// commit itself is waited for.</param>
    /// <returns>
    /// Whether to go ahead, to stop because it was done, or to ask the outside system first because an earlier run may
    /// have done it.
    /// </returns>
    /// <exception cref="EffectInProgressException">Another run holds the lease; the message comes again when it has
    /// ended, and no attempt is counted.</exception>
    public Task<EffectClaim> ClaimAsync(TimeSpan lease, string? reference, CancellationToken cancellationToken) =>
        _run.ClaimAsync(lease, reference, cancellationToken);

    /// <summary>
    /// Call when the effect certainly did not happen (connection refused, a clear no): takes the claim back, so that
    /// the next attempt may go ahead.
    /// </summary>
    public Task ReleaseClaimAsync() => _run.ReleaseClaimAsync();

    /// <summary>
    /// Call when nobody can say whether the effect happened: records it as uncertain and dead-letters the message.
    /// </summary>
    /// <exception cref="UncertainEffectException">Always.</exception>
    public Task GiveUpAsUncertainAsync(string? reference) => _run.GiveUpAsUncertainAsync(reference);

    /// <summary>What is recorded of the step's own work for the subject; for a run that undoes it.</summary>
    /// <exception cref="Npgsql.NpgsqlException">The database cannot be read.</exception>
    public Task<StepState> StateAsync(CancellationToken cancellationToken) => _run.StateAsync(cancellationToken);
}
