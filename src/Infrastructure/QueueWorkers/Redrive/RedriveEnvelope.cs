using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using QueueWorkers.Consuming;
using QueueWorkers.DeadLetters;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;
using QueueWorkers.Redrive.Payloads;

namespace QueueWorkers.Redrive;

/// <summary>
/// Rewrites a dead-lettered message so that its step takes it as new and yet as the same: counters of redelivery are
/// removed (they stand in the envelope, where MassTransit reads them, and on the transport), the original message id is
/// restored (what was done is not done again), and the generation is stamped (what comes back is told from what was
/// sent).
/// Correlation, conversation and trace stay. The class becomes the one behind: what was dead-lettered for hours must
/// not stand in front of what is posted now.
/// </summary>
internal static class RedriveEnvelope
{
    /// <summary>The message to send.</summary>
    /// <param name="failure">The dead-lettered message.</param>
    /// <param name="payload">The payload to put in place of the original one; null to keep it.</param>
    /// <param name="generation">The generation to stamp.</param>
    /// <exception cref="InvalidPayloadException">The body is no envelope, or no step or type says where to send
    /// it.</exception>
    public static OutboxMessage Rewrite(Failure failure, string? payload, int generation)
    {
        try
        {
            return RewriteJson(failure, payload, generation);
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or InvalidOperationException)
        {
            // Foreign JSON, such as the same member twice. It is this message's fault: the others of the redrive
            // go on.
            throw new InvalidPayloadException(
                StorableText.Of($"The message cannot be rewritten: {fault.Message}", 1000)
            );
        }
    }

    private static OutboxMessage RewriteJson(Failure failure, string? payload, int generation)
    {
        var body = JsonOf(failure.Body);
        if (body["message"] is null)
            throw new InvalidPayloadException(
                "The body is no message envelope: there is nothing a step could read. Edit it, or archive it."
            );

        body["messageId"] = failure.MessageId.ToString();
        if (payload is not null)
            body["message"] = JsonNode.Parse(payload);
        var headers = body["headers"] as JsonObject ?? [];
        Strip(headers);
        headers[RedriveCount.Header] = generation;
        body["headers"] = headers.DeepClone();
        // No address of anybody: faults and answers go nowhere but into our own tables.
        foreach (var address in new[] { "faultAddress", "responseAddress", "expirationTime" })
            body.Remove(address);

        // A step's own exchange: the other steps that consume the type have long done their part. A message that no
        // queue took goes to all who want it now.
        var exchange =
            failure.Step
            ?? failure.MessageType
            ?? throw new InvalidPayloadException(
                "The message says neither a step nor a type, so there is nowhere to send it."
            );
        if (!AmqpLimits.IsShortString(exchange))
            throw new InvalidPayloadException(
                $"The message names a type of {Encoding.UTF8.GetByteCount(exchange)} bytes; an exchange's name has at most {AmqpLimits.ShortString}. Edit it, or archive it."
            );

        var transport = JsonNode.Parse(failure.Headers) as JsonObject ?? [];
        Strip(transport);
        // The sender's client counted bytes that were no text; as text they may be longer than any client can send.
        foreach (var name in transport.Select(h => h.Key).Where(name => !AmqpLimits.IsShortString(name)).ToArray())
            transport.Remove(name);
        transport[RedriveCount.Header] = generation;
        return new OutboxMessage
        {
            MessageId = failure.MessageId,
            Exchange = exchange,
            // A foreign envelope may say anything. It stays in the envelope, where the step reads it; the property
            // is for those who look at the queue.
            CorrelationId = AmqpLimits.ShortStringOrNull((body["correlationId"] as JsonValue)?.ToString()),
            ContentType = Envelope.ContentType,
            Headers = transport.ToJsonString(),
            Body = Encoding.UTF8.GetBytes(body.ToJsonString()),
            Priority = Behind(failure.Priority),
        };
    }

    /// <summary>
    /// The place of a redriven message: behind the fresh ones of its own class and before the next class; once, however
    /// often it is redriven.
    /// </summary>
    /// <param name="priority">The class it had; null for the broker's normal, 4.</param>
    private static short? Behind(short? priority) =>
        priority switch
        {
            null or 4 => 3,
            7 => 6,
            _ => priority,
        };

    private static JsonObject JsonOf(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject
                ?? throw new InvalidPayloadException("The body is JSON, but no object.");
        }
        catch (JsonException malformed)
        {
            throw new InvalidPayloadException($"The body is no JSON: {malformed.Message}");
        }
    }

    // The trace goes on: who looks at it sees the first failure and the redrive in one.
    private static void Strip(JsonObject headers)
    {
        foreach (
            var name in headers
                .Select(h => h.Key)
                .Where(name =>
                    name != "MT-Activity-Id"
                    && (
                        Deferral.IsHeader(name)
                        || name.StartsWith("MT-", StringComparison.OrdinalIgnoreCase)
                        || name.StartsWith("x-", StringComparison.OrdinalIgnoreCase)
                    )
                )
                .ToArray()
        )
            headers.Remove(name);
    }
}
