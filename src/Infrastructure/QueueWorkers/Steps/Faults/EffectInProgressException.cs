namespace QueueWorkers.Steps.Faults;

/// <summary>
/// Another run is at the same effect, or died at it a moment ago: the message is deferred until its lease has ended. No
/// attempt is counted.
/// </summary>
public sealed class EffectInProgressException(string effect, Guid subjectId, DateTimeOffset leaseUntil)
    : StepDeferredException(
        $"Effect '{effect}' of {subjectId} was begun by another run, whose lease lasts until {leaseUntil:O}; the message comes again after that.",
        leaseUntil
    );
