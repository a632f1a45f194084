namespace Orders.Infrastructure.Controls;

/// <summary>Whether a run may begin now, and if not, when its message should come again.</summary>
/// <param name="ComeAgainAt">Null when it may begin.</param>
/// <param name="Reason">Why not.</param>
/// <param name="Cause">The kind of that reason.</param>
public readonly record struct GatePass(DateTimeOffset? ComeAgainAt, string Reason, DeferralCause Cause = default)
{
    /// <summary>It may begin; <see cref="StepGate.Leave"/> has to follow.</summary>
    public static GatePass Granted { get; } = new(null, "");

    /// <summary>Whether it may begin.</summary>
    public bool IsGranted => ComeAgainAt is null;

    /// <summary>It may not; the message is to come again.</summary>
    public static GatePass Later(DateTimeOffset at, DeferralCause cause, string reason) => new(at, reason, cause);
}
