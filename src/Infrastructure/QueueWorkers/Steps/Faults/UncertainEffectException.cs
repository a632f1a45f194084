namespace QueueWorkers.Steps.Faults;

/// <summary>
/// An earlier run died between the outside system's answer and its own commit, and nobody can be asked whether the
/// effect happened.
/// Repeating might do it twice, so the message is dead-lettered and the effect shown as uncertain.
/// </summary>
public sealed class UncertainEffectException(string effect, Guid subjectId, string? reference)
    : PermanentFaultException(
        $"Effect '{effect}' of {subjectId} was begun by a run that died before it could record the outcome (reference: {reference ?? "none"}). "
            + "Look in the outside system, then settle the effect by hand: it is not repeated by itself."
    );
