using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using RabbitMQ.Client;

namespace QueueWorkers.DeadLetters.Recording;

/// <summary>A message that is dead-lettered, or about to be: all that the index keeps of it.</summary>
internal sealed record DeadLetter
{
    private const int LongestHeaders = 100_000;
    private const int LongestText = 4000;

    public required string Queue { get; init; }

    public required FailureKind Kind { get; init; }

    public required Guid Identity { get; init; }

    public required Guid MessageId { get; init; }

    public int Generation { get; init; }

    /// <summary>Copies seen in the queue; 0 when nobody has looked.</summary>
    public int Copies { get; init; }

    public string? Step { get; init; }

    public string? MessageType { get; init; }

    public Guid? SubjectId { get; init; }

    public required string FaultType { get; init; }

    public required string FaultMessage { get; init; }

    public string? Stack { get; init; }

    public string Fingerprint => FaultFingerprint.Of(Step, FaultType, FaultMessage, Stack);

    public int Attempts { get; init; } = 1;

    public DateTimeOffset At { get; init; } = DatabaseClock.UtcNow;

    public string? Build { get; init; }

    public string? Host { get; init; }

    public string? Payload { get; init; }

    public required byte[] Body { get; init; }

    public required string ContentType { get; init; }

    public string Headers { get; init; } = "{}";

    public short? Priority { get; init; }

    /// <summary>What a message found in a queue says about itself.</summary>
    public static DeadLetter Of(string queue, IReadOnlyBasicProperties properties, byte[] body)
    {
        var (kind, step) = Place(queue);
        var headers = Transport(properties.Headers);
        var facts = EnvelopeFacts.Read(body);
        var id =
            Id(headers, "MT-OriginalMessageId")
            ?? facts.OriginalMessageId
            ?? (Guid.TryParse(properties.MessageId, out var given) && given != Guid.Empty ? given : default(Guid?))
            ?? facts.MessageId
            ?? Derived(body);
        var broker = kind == FailureKind.Error ? BrokerReason.Of(headers, step) : null;
        var (type, text) = Fault(kind, headers, facts, broker);
        return new DeadLetter
        {
            Queue = queue,
            Kind = kind,
            Step = step,
            Identity = id,
            MessageId = id,
            Generation = Number(headers, RedriveCount.Header) ?? facts.Generation,
            Copies = 1,
            MessageType = facts.MessageType,
            SubjectId = facts.CorrelationId ?? facts.SubjectInPayload(),
            FaultType = StorableText.Of(type, 500),
            FaultMessage = StorableText.Of(PersonalText.Of(text), LongestText),
            Stack = StorableText.OfNullable(
                FaultFingerprint.Normalise(headers.GetValueOrDefault("MT-Fault-StackTrace") as string),
                8000
            ),
            Attempts = broker is { WasBegun: false }
                ? facts.Redeliveries
                : (broker is null ? null : Number(headers, "x-acquired-count"))
                    ?? facts.Redeliveries + (Number(headers, "MT-Fault-RetryCount") ?? 0) + 1,
            At = FaultedAt(headers),
            Build = StorableText.OfNullable(headers.GetValueOrDefault("MT-Host-AssemblyVersion") as string, 100),
            Host = StorableText.OfNullable(headers.GetValueOrDefault("MT-Host-MachineName") as string, 200),
            Payload = StorableText.OfNullable(facts.Payload ?? JsonIn(body), 1_000_000),
            Body = body,
            ContentType = StorableText.Of(properties.ContentType ?? "", 200),
            Headers = StorableText.Of(JsonOf(headers), LongestHeaders),
            Priority = properties.IsPriorityPresent() ? properties.Priority : null,
        };
    }

    /// <summary>What is needed to find it again, and nothing that is large.</summary>
    public DeadLetter WithoutContent() => this with { Body = [], Payload = null, Stack = null, Headers = "{}" };

    /// <summary>The kind of a queue by its name, and its step.</summary>
    public static (FailureKind Kind, string? Step) Place(string queue) =>
        queue.EndsWith("_error", StringComparison.Ordinal) ? (FailureKind.Error, queue[..^"_error".Length])
        : queue.EndsWith("_skipped", StringComparison.Ordinal) ? (FailureKind.Skipped, queue[..^"_skipped".Length])
        : (FailureKind.Unrouted, null);

    private static (string Type, string Text) Fault(
        FailureKind kind,
        Dictionary<string, object?> headers,
        EnvelopeFacts facts,
        BrokerReason? broker
    ) =>
        kind switch
        {
            FailureKind.Skipped => (
                "UnknownMessageType",
                $"The step does not consume {facts.MessageType ?? "a message without a type"}."
            ),
            FailureKind.Unrouted => (
                "NoQueueIsBound",
                $"No deployed step consumes {facts.MessageType ?? "a message without a type"}."
            ),
            _ when headers.GetValueOrDefault("MT-Fault-ExceptionType") is string type => (
                type,
                headers.GetValueOrDefault("MT-Fault-Message") as string ?? ""
            ),
            _ when broker is not null => (broker.FaultType, broker.FaultMessage),
            _ => ("Unknown", "The message carries no fault: somebody put it here by hand."),
        };

    // The header may be of a foreign message: a time in the future would stand in front of everything for ever, and one before 1970
    // is none for an id.
    private static DateTimeOffset FaultedAt(Dictionary<string, object?> headers)
    {
        var now = DatabaseClock.UtcNow;
        return
            DateTimeOffset.TryParse(
                headers.GetValueOrDefault("MT-Fault-Timestamp") as string,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var at
            )
            && at >= DateTimeOffset.UnixEpoch
            && at <= now
            ? at.ToUniversalTime()
            : now;
    }

    // JSON that is cut off is none: the long headers are left out instead.
    private static string JsonOf(Dictionary<string, object?> headers)
    {
        var json = JsonSerializer.Serialize(headers);
        return json.Length <= LongestHeaders
            ? json
            : JsonSerializer.Serialize(
                headers.Where(h => h.Value is not string { Length: > 500 }).Take(20).ToDictionary()
            );
    }

    // Bytes are texts in the client; whatever is not a plain value is not worth keeping as more than its text.
    private static Dictionary<string, object?> Transport(IDictionary<string, object?>? headers)
    {
        var plain = new Dictionary<string, object?>();
        foreach (var (name, value) in headers ?? new Dictionary<string, object?>())
        {
            if (name is "x-death" or "x-dotnet-pub-seq-no")
                continue;
            plain[StorableText.Of(name, 200)] = value switch
            {
                byte[] bytes => TextOf(name, Encoding.UTF8.GetString(bytes)),
                string text => TextOf(name, text),
                null or bool or byte or short or int or long => value,
                double number when double.IsFinite(number) => number,
                _ => StorableText.Of(value.ToString() ?? "", 2000),
            };
        }

        return plain;
    }

    // A message that an older version dead-lettered says of its fault what it met; other headers are sent again as they
    // are.
    private static string TextOf(string name, string text) =>
        StorableText.Of(name.StartsWith("MT-Fault-", StringComparison.Ordinal) ? PersonalText.Of(text) : text, 20_000);

    private static Guid? Id(Dictionary<string, object?> headers, string name) =>
        Guid.TryParse(headers.GetValueOrDefault(name) as string, out var id) && id != Guid.Empty ? id : null;

    private static int? Number(Dictionary<string, object?> headers, string name) =>
        headers.GetValueOrDefault(name) switch
        {
            int number => number,
            long number => (int)Math.Clamp(number, 0, int.MaxValue),
            short number => number,
            byte number => number,
            string text when int.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
            _ => null,
        };

    // A body without any id gets one from its bytes: the same body again is a copy.
    private static Guid Derived(byte[] body) => new(SHA256.HashData(body).AsSpan(0, 16));

    private static string? JsonIn(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.GetRawText();
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
