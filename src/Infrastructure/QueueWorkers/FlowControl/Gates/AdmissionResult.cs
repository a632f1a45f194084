using QueueWorkers.GroupCommit;

namespace QueueWorkers.FlowControl.Gates;

/// <summary>Whether a run may begin now, and if not, when its message should come again.</summary>
/// <param name="RetryAt">Null when it may begin.</param>
/// <param name="Reason">Why not.</param>
/// <param name="Cause">The kind of that reason.</param>
public readonly record struct AdmissionResult(DateTimeOffset? RetryAt, string Reason, DeferralCause Cause = default)
{
    /// <summary>It may begin; <see cref="StepGate.Leave"/> has to follow.</summary>
    public static AdmissionResult Granted { get; } = new(null, "");

    /// <summary>Whether it may begin.</summary>
    public bool IsGranted => RetryAt is null;

    /// <summary>
    /// The reason, and the fault that a run has met. A failed trial has made its fault the reason: that one is said once.
    /// </summary>
    internal string ReasonWith(string fault)
    {
        var own = PersonalText.Of(fault);
        return Reason.EndsWith(own, StringComparison.Ordinal) ? Reason : $"{Reason.TrimEnd('.')}; {own}";
    }

    /// <summary>It may not; the message is to come again.</summary>
    public static AdmissionResult Later(DateTimeOffset at, DeferralCause cause, string reason) =>
        new(at, reason, cause);
}
