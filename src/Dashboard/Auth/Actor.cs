using System.Security.Claims;
using QueueWorkers.GroupCommit;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>Who acts: an operator who is logged in or has shown a key.</summary>
/// <param name="Name">The operator's name.</param>
/// <param name="Role">The operator's role.</param>
internal sealed record Actor(string Name, OperatorRole Role)
{
    /// <summary>The actor of a request to an endpoint that asks for a role.</summary>
    public static Actor Of(HttpContext context) =>
        new(
            context.User.Identity?.Name
                ?? throw new InvalidOperationException(
                    "The endpoint asks for no role, so nobody knows who calls; add Needs(…) to its route."
                ),
            Enum.Parse<OperatorRole>(context.User.FindFirstValue(ClaimTypes.Role) ?? nameof(OperatorRole.Viewer))
        );

    /// <summary>The beginning of an audit record: who did what to what.</summary>
    public AuditEntry Did(string action, string? target = null, string? reason = null) =>
        new()
        {
            Who = Name,
            Role = Role.ToString(),
            Action = action,
            Target = target,
            // Notes and records are made of it.
            Reason = PersonalText.OfNullable(reason),
        };
}
