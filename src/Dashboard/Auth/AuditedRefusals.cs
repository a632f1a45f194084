using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>
/// Writes down when a known operator tries to change something that the role does not allow. The answer is the usual
/// one.
/// </summary>
internal sealed class AuditedRefusals(AuditLog audit, ILogger<AuditedRefusals> log)
    : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _usual = new();

    public async Task HandleAsync(
        RequestDelegate next,
        HttpContext context,
        AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult
    )
    {
        if (
            authorizeResult.Forbidden
            && !HttpMethods.IsGet(context.Request.Method)
            && !HttpMethods.IsHead(context.Request.Method)
        )
        {
            var (name, role) = (
                context.User.Identity?.Name ?? "?",
                context.User.FindFirstValue(ClaimTypes.Role) ?? "?"
            );
            DashboardLog.Refused(log, name, role, context.Request.Method, context.Request.Path);
            await audit.WriteAsync(
                new AuditEntry
                {
                    Who = name,
                    Role = role,
                    Action = "refused",
                    Target = $"{context.Request.Method} {context.Request.Path}",
                    Result = "403",
                },
                context.RequestAborted
            );
        }

        await _usual.HandleAsync(next, context, policy, authorizeResult);
    }
}
