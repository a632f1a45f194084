using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Orders.Dashboard.Tests.Mcp;

/// <summary>An assistant, by the client of the protocol's own SDK.</summary>
internal static class Assistant
{
    /// <summary>Connects with an operator's key.</summary>
    public static Task<McpClient> ConnectAsync(Uri dashboard, string key) =>
        McpClient.CreateAsync(
            new HttpClientTransport(
                new HttpClientTransportOptions
                {
                    Endpoint = new Uri(dashboard, "/api/mcp"),
                    TransportMode = HttpTransportMode.StreamableHttp,
                    AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
                }
            )
        );

    /// <summary>What a tool answers.</summary>
    public static async Task<JsonNode> CallAsync(
        McpClient assistant,
        string tool,
        Dictionary<string, object?>? arguments = null
    )
    {
        var result = await assistant.CallToolAsync(tool, arguments);
        Assert.That(result.IsError, Is.Not.True, $"{tool}: {TextOf(result)}");
        return JsonNode.Parse(TextOf(result))!;
    }

    /// <summary>Why a tool refuses.</summary>
    public static async Task<string> RefusalAsync(
        McpClient assistant,
        string tool,
        Dictionary<string, object?> arguments
    )
    {
        var result = await assistant.CallToolAsync(tool, arguments);
        Assert.That(result.IsError, Is.True, $"{tool}: {TextOf(result)}");
        return TextOf(result);
    }

    private static string TextOf(CallToolResult result) =>
        string.Join('\n', result.Content.OfType<TextContentBlock>().Select(t => t.Text));
}
