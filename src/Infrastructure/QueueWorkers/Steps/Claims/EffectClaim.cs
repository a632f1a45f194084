namespace QueueWorkers.Steps.Claims;

/// <summary>The answer to <see cref="StepEffect.ClaimAsync"/>.</summary>
public enum EffectClaim
{
    /// <summary>Nobody has begun the effect: go ahead.</summary>
    Granted,

    /// <summary>The effect is done: return without doing anything; the run is dropped.</summary>
    AlreadyDone,

    /// <summary>
    /// An earlier run began the effect and died. Ask the outside system: if it happened, return and the commit records
    /// it; if it did not, go ahead; if nobody can say, call <see cref="StepEffect.GiveUpAsUncertainAsync"/>.
    /// </summary>
    MaybeDone,
}
