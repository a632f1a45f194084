using System.Diagnostics.CodeAnalysis;

namespace QueueWorkers.Steps.Claims;

/// <summary>
/// What a run knows of its claim. Its step, and the stage behind the step that may have abandoned it, decide here which
/// of them the claim belongs to: exactly one wins.
/// </summary>
internal sealed class RunClaim
{
    private readonly Lock _lock = new();
    private bool _isAbandoned;
    private bool _isWithdrawn;

    /// <summary>
    /// A claim that the run has not accepted: it may be there although the run has begun nothing. Null when there is
    /// none.
    /// </summary>
    public PendingClaim? Unanswered { get; private set; }

    /// <summary>The token of the run's claim, see <see cref="EffectClaims"/>; null while it has none.</summary>
    public DateTimeOffset? Until { get; private set; }

    /// <summary>
    /// The effect and the token of a claim that is to be released: the effect certainly did not happen. Null when there
    /// is none, or it was released.
    /// </summary>
    public OwedClaim? Owed { get; private set; }

    /// <summary>Whether something is left to be settled when the run has ended.</summary>
    public bool IsOpen => Unanswered is not null || Owed is not null;

    /// <summary>Sends a claim to its commit; false when the run was abandoned.</summary>
    public bool TryBegin(
        string effect,
        TimeSpan lease,
        Func<Task<ClaimAnswer?>> commit,
        [NotNullWhen(true)] out PendingClaim? claim
    )
    {
        lock (_lock)
        {
            if (_isAbandoned)
            {
                claim = null;
                return false;
            }

            _isWithdrawn = false;
            claim = Unanswered = new PendingClaim(effect, lease, commit());
            return true;
        }
    }

    /// <summary>
    /// Accepts a granted claim. False when the run was abandoned or the claim withdrawn: the claim is taken back, and
    /// the run must not begin.
    /// </summary>
    public bool TryAccept(PendingClaim claim, DateTimeOffset? until)
    {
        lock (_lock)
        {
            if (_isAbandoned || _isWithdrawn || !ReferenceEquals(Unanswered, claim))
                return false;
            (Unanswered, Until) = (null, until);
            return true;
        }
    }

    /// <summary>Takes the right to accept its claim from the run.</summary>
    /// <returns>The claim, to be taken back; null when there is none.</returns>
    public PendingClaim? Withdraw()
    {
        lock (_lock)
        {
            _isWithdrawn = true;
            return Unanswered;
        }
    }

    /// <summary>Nothing of the claim is left, or it was never this run's.</summary>
    public void Forget(PendingClaim claim)
    {
        lock (_lock)
        {
            if (ReferenceEquals(Unanswered, claim))
                Unanswered = null;
        }
    }

    /// <summary>The claim is to be released, if the run has one.</summary>
    public void Owe(string effect) => Owed = Until is { } until ? new OwedClaim(effect, until) : null;

    /// <summary>It was released.</summary>
    public void Paid() => Owed = null;

    /// <summary>From now on the run can neither begin nor accept a claim.</summary>
    public void Abandon()
    {
        lock (_lock)
            _isAbandoned = true;
    }
}

/// <summary>A claim that is to be released.</summary>
/// <param name="Effect">The effect's name.</param>
/// <param name="Until">The claim's token.</param>
internal sealed record OwedClaim(string Effect, DateTimeOffset Until);
