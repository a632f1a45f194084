using QueueWorkers.Clocks;

namespace QueueWorkers.Operators.Accounts;

/// <summary>How long keys may be valid.</summary>
public static class KeyTerms
{
    /// <summary>How long the old key stays valid at a rotation when nobody says.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    /// <summary>The longest that it may.</summary>
    public static readonly TimeSpan LongestOverlap = TimeSpan.FromDays(30);

    /// <summary>Refuses an end that has passed.</summary>
    /// <exception cref="AccountRefusedException">It has.</exception>
    public static void CheckExpiry(DateTimeOffset? expiresAt)
    {
        if (expiresAt <= DatabaseClock.UtcNow)
            throw new AccountRefusedException(
                AccountRefusal.Invalid,
                "The expiry is in the past. Give a later one, or none for a key that does not expire."
            );
    }

    /// <summary>Refuses an overlap that is negative or too long.</summary>
    /// <exception cref="AccountRefusedException">It is.</exception>
    public static void CheckOverlap(TimeSpan overlap)
    {
        if (overlap < TimeSpan.Zero || overlap > LongestOverlap)
            throw new AccountRefusedException(
                AccountRefusal.Invalid,
                $"The overlap must be 0 to {LongestOverlap.TotalHours} hours, found {overlap.TotalHours}."
            );
    }
}
