using ModelContextProtocol;
using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Mcp;

/// <summary>Whoever calls a tool: the operator of the key.</summary>
internal sealed class ToolCaller(IHttpContextAccessor http, AuditLog audit)
{
    /// <summary>The operator, whose role allows to change something.</summary>
    /// <param name="tool">The tool, for the record of a refusal.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="McpException">The role is too low; the attempt is in the audit record.</exception>
    public async Task<Actor> OperatorAsync(string tool, CancellationToken cancellationToken)
    {
        var actor = Actor.Of(
            http.HttpContext ?? throw new InvalidOperationException("A tool was called outside of a request.")
        );
        if (actor.Role >= OperatorRole.Operator)
            return actor;
        var did = actor.Did("refused", $"MCP {tool}");
        await audit.WriteAsync(
            new AuditEntry
            {
                Who = did.Who,
                Role = did.Role,
                Action = did.Action,
                Target = did.Target,
                Result = "403",
            },
            cancellationToken
        );
        throw new McpException(
            $"{tool} needs the role operator; the key of {actor.Name} has the role {actor.Role}. The attempt was recorded."
        );
    }
}
