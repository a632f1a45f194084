using Orders.Dashboard.Api.Problems;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Api.Accounts;

/// <summary>What the endpoints of accounts and keys have in common.</summary>
internal static class AccountAnswers
{
    private const int LongestReason = 500;

    /// <summary>Runs a change that needs a reason, and makes problems of what was refused.</summary>
    public static async Task<IResult> ForAsync(string? reason, Func<string, Task<IResult>> change)
    {
        if (reason?.Trim() is not { Length: > 0 and <= LongestReason } why)
            return ApiProblem.InvalidParameter(
                $"reason must be 1–{LongestReason} characters: it goes into the audit record"
            );
        try
        {
            return await change(why);
        }
        catch (AccountRefusedException refused)
        {
            return refused.Kind switch
            {
                AccountRefusal.Invalid => ApiProblem.InvalidParameter(refused.Message),
                AccountRefusal.Unknown => ApiProblem.NotFound(refused.Message),
                AccountRefusal.NotAdmin => ApiProblem.Of(
                    403,
                    "missing-role",
                    "The operator's role does not allow this.",
                    refused.Message
                ),
                _ => ApiProblem.Conflict("account-state", refused.Message),
            };
        }
    }

    /// <summary>A key that was just made; the only answer that has it.</summary>
    public static IResult Made(MadeKey made, string list) =>
        Results.Created(
            list,
            new
            {
                id = made.Id,
                key = made.Key,
                owner = made.Owner,
                expiresAt = made.ExpiresAt,
            }
        );
}

/// <summary>Terms of a rotation.</summary>
/// <param name="OverlapHours">How long the old key stays valid; null for a day.</param>
/// <param name="ExpiresAt">When the new key ends; null for never.</param>
/// <param name="Reason">Why.</param>
internal sealed record KeyRotation(double? OverlapHours = null, DateTimeOffset? ExpiresAt = null, string? Reason = null)
{
    /// <summary>The overlap as a time.</summary>
    /// <exception cref="AccountRefusedException">It is no time of this world.</exception>
    public TimeSpan Overlap =>
        OverlapHours is not { } hours ? KeyTerms.Overlap
        : hours >= 0 && hours <= KeyTerms.LongestOverlap.TotalHours ? TimeSpan.FromHours(hours)
        : throw new AccountRefusedException(
            AccountRefusal.Invalid,
            $"overlapHours must be 0–{KeyTerms.LongestOverlap.TotalHours}, found {hours}"
        );
}

/// <summary>A reason, and nothing else.</summary>
/// <param name="Reason">Why.</param>
internal sealed record KeyRevocation(string? Reason = null);
