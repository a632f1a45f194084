using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.GroupCommit;
using QueueWorkers.Messaging;

namespace Orders.Dashboard.Mcp;

/// <summary>
/// Says what a refusal says, and what a fault of database or broker means; the SDK would say only that something went
/// wrong.
/// </summary>
internal static class ToolFaults
{
    /// <summary>The filter of all tools.</summary>
    public static McpRequestHandler<CallToolRequestParams, CallToolResult> Named(
        McpRequestHandler<CallToolRequestParams, CallToolResult> call
    ) =>
        async (request, cancellationToken) =>
        {
            try
            {
                return await call(request, cancellationToken);
            }
            catch (InvalidFilterException invalid)
            {
                throw new McpException(invalid.Message);
            }
            catch (BulkRefusedException refused)
            {
                throw new McpException($"{refused.Code}: {refused.Message}");
            }
            catch (Exception fault) when (DatabaseFault.MayPass(fault))
            {
                DatabaseFaultMetrics.Count(fault);
                throw new McpException(
                    $"{DatabaseFault.Explain(fault)} It is not known whether {request.Params?.Name} was carried out: look before you repeat it.",
                    fault
                );
            }
            catch (Exception fault) when (BrokerFault.IsUnavailable(fault))
            {
                throw new McpException(
                    $"The broker cannot be reached: {fault.Message} Look before you repeat {request.Params?.Name}.",
                    fault
                );
            }
        };
}
