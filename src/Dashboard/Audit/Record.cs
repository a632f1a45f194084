using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Audit;

/// <summary>Audit records of what was done on a page.</summary>
internal static class Record
{
    /// <summary>A record with its result.</summary>
    public static AuditEntry Of(Actor actor, string action, string? target, string? reason, string result) =>
        new()
        {
            Who = actor.Name,
            Role = actor.Role.ToString(),
            Action = action,
            Target = target,
            Reason = reason,
            Result = result,
        };
}
