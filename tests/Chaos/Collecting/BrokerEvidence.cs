using System.Net.Http.Json;
using System.Text.Json;
using Orders.Chaos.Checking;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Collecting;

/// <summary>Counts what the broker holds and looks at what is parked there, by its management API: the system's own connections are not asked.</summary>
/// <param name="management">A client with address and credentials.</param>
/// <param name="virtualHost">The virtual host.</param>
public sealed class BrokerEvidence(HttpClient management, string virtualHost)
{
    private const int MostLookedAt = 20_000;

    private readonly string _queues = $"api/queues/{Uri.EscapeDataString(virtualHost)}";

    /// <summary>Messages by queue, those under way included. The broker counts every few seconds (<c>collect_statistics_interval</c>): one zero may be an old one.</summary>
    public async Task<IReadOnlyDictionary<string, long>> CountAsync(CancellationToken cancellationToken = default)
    {
        var queues = await management.GetFromJsonAsync<QueueLine[]>($"{_queues}?columns=name,messages", cancellationToken) ?? [];
        return queues.ToDictionary(q => q.Name, q => q.Messages ?? 0);
    }

    /// <summary>Reads counts and parked messages. Looking leaves them where they are.</summary>
    public async Task<Evidence> ReadAsync(CancellationToken cancellationToken = default)
    {
        var counts = await CountAsync(cancellationToken);
        var parked = new List<ParkedMessage>();
        foreach (var queue in counts.Keys.Where(IsParkingPlace))
            parked.AddRange(await LookAsync(queue, cancellationToken));
        var expected = FaultCatalogue.Workers.SelectMany(step => (string[])[step, $"{step}_error"]);
        return new Evidence { Waiting = Waiting(counts), MissingQueues = [.. expected.Except(counts.Keys)], Parked = parked };
    }

    /// <summary>The counts of the queues that have to be empty at rest.</summary>
    public static IReadOnlyDictionary<string, long> Waiting(IReadOnlyDictionary<string, long> counts) => counts.Where(q => !IsParkingPlace(q.Key)).ToDictionary();

    private static bool IsParkingPlace(string queue) =>
        queue == "unrouted" || queue.EndsWith("_error", StringComparison.Ordinal) || queue.EndsWith("_skipped", StringComparison.Ordinal);

    private async Task<IEnumerable<ParkedMessage>> LookAsync(string queue, CancellationToken cancellationToken)
    {
        var question = new { count = MostLookedAt, ackmode = "ack_requeue_true", encoding = "auto" };
        using var answer = await management.PostAsJsonAsync($"{_queues}/{Uri.EscapeDataString(queue)}/get", question, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var messages = await answer.Content.ReadFromJsonAsync<JsonElement[]>(cancellationToken) ?? [];
        return messages.Select(m => Read(queue, m));
    }

    // The first id counts: redelivery and redrive give a message a new one and keep the original in a header of the envelope.
    private static ParkedMessage Read(string queue, JsonElement message)
    {
        try
        {
            using var envelope = JsonDocument.Parse(message.GetProperty("payload").GetString()!);
            var root = envelope.RootElement;
            var original = root.TryGetProperty("headers", out var headers) ? IdIn(headers, "MT-OriginalMessageId") : null;
            return new ParkedMessage(queue, original ?? IdIn(root, "messageId"), IdIn(root, "correlationId") ?? (root.TryGetProperty("message", out var body) ? IdIn(body, "orderId") : null));
        }
        catch (JsonException)
        {
            // No envelope at all. It stands there and is counted; what it is about nobody can say.
            return new ParkedMessage(queue, null, null);
        }
    }

    private static Guid? IdIn(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && Guid.TryParse(value.GetString(), out var id) ? id : null;

    private sealed record QueueLine(string Name, long? Messages);
}
