using System.Text.Json;
using QueueWorkers.Messaging;

namespace QueueWorkers.Monitoring;

/// <summary>Reads the queues' figures from RabbitMQ's management API: one request for all queues.</summary>
public sealed class QueueReader : IDisposable
{
    private const string Columns =
        "name,messages_ready,messages_unacknowledged,consumers,message_stats.publish,message_stats.publish_details.rate,message_stats.ack_details.rate";

    private readonly HttpClient _http;
    private readonly Uri _address;

    /// <summary>Creates a reader.</summary>
    /// <param name="options">With <see cref="RabbitMqOptions.ManagementUri"/> set.</param>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">The management address is
    /// missing.</exception>
    public QueueReader(RabbitMqOptions options)
    {
        _http = RabbitManagement.Connect(options, TimeSpan.FromSeconds(3));
        _address = new Uri(
            $"api/queues/{Uri.EscapeDataString(options.VirtualHost)}?columns={Columns}",
            UriKind.Relative
        );
    }

    /// <summary>Reads all queues of the virtual host, by name.</summary>
    /// <exception cref="HttpRequestException">The broker cannot be reached or will not answer.</exception>
    /// <exception cref="TimeoutException">It took more than 3 s.</exception>
    public async Task<IReadOnlyList<QueueFigures>> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await _http.GetStreamAsync(_address, cancellationToken);
            using var answer = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return [.. answer.RootElement.EnumerateArray().Select(From).OrderBy(q => q.Name, StringComparer.Ordinal)];
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("RabbitMQ's management API did not answer within 3 s.", late);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private static QueueFigures From(JsonElement queue) =>
        new(
            queue.GetProperty("name").GetString()!,
            (long)Number(queue, "messages_ready"),
            (long)Number(queue, "messages_unacknowledged"),
            (int)Number(queue, "consumers"),
            (long)Number(queue, "message_stats", "publish"),
            Number(queue, "message_stats", "publish_details", "rate"),
            Number(queue, "message_stats", "ack_details", "rate")
        );

    // What has not happened yet is left out by the broker: a queue nobody published to has no such figure.
    private static double Number(JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element))
                return 0;
        }

        return element.ValueKind == JsonValueKind.Number ? element.GetDouble() : 0;
    }
}
