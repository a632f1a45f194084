using System.Text.Json;
using QueueWorkers.Messaging;

namespace QueueWorkers.Topology;

/// <summary>
/// A binding as the broker lists it. Each queue has one from the default exchange, whose name is empty.
/// </summary>
internal readonly record struct Binding(string Source, string Destination, bool ToQueue, string RoutingKey);

/// <summary>A limit on a queue by which the broker drops messages, or refuses them.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Policy">The policy it comes from.</param>
/// <param name="Limits">Its settings, such as <c>message-ttl 60000</c>.</param>
/// <param name="DeadLettersTo">The queue that gets what is over a limit; null when it is lost.</param>
/// <param name="IsEmpty">Whether the queue holds no message, neither ready nor with a consumer.</param>
internal sealed record QueueLimit(string Queue, string Policy, string Limits, string? DeadLettersTo, bool IsEmpty);

/// <summary>Reads exchanges, queues and bindings from RabbitMQ's management API.</summary>
internal sealed class TopologyReader : IDisposable
{
    private static readonly string[] Limiting = ["message-ttl", "expires", "max-length", "max-length-bytes"];

    private readonly HttpClient _http;
    private readonly string _host;

    public TopologyReader(RabbitMqOptions options)
    {
        _http = RabbitManagement.Connect(options, TimeSpan.FromSeconds(5));
        _host = Uri.EscapeDataString(options.VirtualHost);
    }

    /// <summary>All bindings of the virtual host.</summary>
    /// <exception cref="HttpRequestException">The broker does not answer.</exception>
    public async Task<HashSet<Binding>> BindingsAsync(CancellationToken cancellationToken)
    {
        using var answer = await GetAsync($"api/bindings/{_host}", cancellationToken);
        return
        [
            .. answer
                .RootElement.EnumerateArray()
                .Select(b => new Binding(
                    b.GetProperty("source").GetString()!,
                    b.GetProperty("destination").GetString()!,
                    b.GetProperty("destination_type").GetString() == "queue",
                    b.GetProperty("routing_key").GetString()!
                )),
        ];
    }

    /// <summary>Limits on queues that a policy or an operator policy sets.</summary>
    /// <exception cref="HttpRequestException">The broker does not answer.</exception>
    public async Task<IReadOnlyList<QueueLimit>> LimitsAsync(CancellationToken cancellationToken)
    {
        using var answer = await GetAsync(
            $"api/queues/{_host}?columns=name,policy,operator_policy,effective_policy_definition,messages",
            cancellationToken
        );
        var limits = new List<QueueLimit>();
        foreach (var queue in answer.RootElement.EnumerateArray())
        {
            if (
                !queue.TryGetProperty("effective_policy_definition", out var definition)
                || definition.ValueKind != JsonValueKind.Object
            )
                continue;
            string[] found =
            [
                .. Limiting
                    .Where(l => definition.TryGetProperty(l, out _))
                    .Select(l => $"{l} {definition.GetProperty(l)}"),
            ];
            if (found.Length > 0)
                limits.Add(
                    new QueueLimit(
                        queue.GetProperty("name").GetString()!,
                        Text(queue, "operator_policy") ?? Text(queue, "policy") ?? "?",
                        string.Join(", ", found),
                        // Our own policy says both; one of another name in its place says neither.
                        definition.TryGetProperty("dead-letter-exchange", out _)
                            ? Text(definition, "dead-letter-routing-key")
                            : null,
                        queue.TryGetProperty("messages", out var count)
                            && count.ValueKind == JsonValueKind.Number
                            && count.GetInt64() == 0
                    )
                );
        }

        return limits;
    }

    public void Dispose() => _http.Dispose();

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    private async Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await _http.GetStreamAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("RabbitMQ's management API did not answer within 5 s.", late);
        }
    }
}
