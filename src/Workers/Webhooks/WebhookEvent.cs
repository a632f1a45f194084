using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orders.Infrastructure;
using Orders.Infrastructure.Webhooks;

namespace Orders.Workers.Webhooks;

/// <summary>
/// What a client's web hook is told, as in Standard Webhooks: a type, a time and data. No personal data; the receiver
/// asks the API for more. The same bytes in every attempt.
/// </summary>
/// <param name="Type">The event.</param>
/// <param name="Timestamp">When it happened, RFC 3339.</param>
/// <param name="Data">What it is about.</param>
internal sealed record WebhookEvent(string Type, string Timestamp, WebhookData Data)
{
    /// <summary>The event of a delivery.</summary>
    public static WebhookEvent Of(WebhookCall call) =>
        new(
            call.Event,
            call.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture),
            new WebhookData(
                call.WebhookId,
                call.OrderId,
                call.Number is { } number ? OrderNumber.Format(number) : null,
                StatusOf(call.Event),
                call.Reason
            )
        );

    /// <summary>As UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, WebhookEventJson.Default.WebhookEvent);

    private static OrderStatus? StatusOf(string name) =>
        name switch
        {
            WebhookEvents.Completed => OrderStatus.Completed,
            WebhookEvents.Rejected => OrderStatus.Rejected,
            WebhookEvents.NeedsAttention => OrderStatus.NeedsAttention,
            WebhookEvents.Cancelled => OrderStatus.Cancelled,
            _ => null,
        };
}

/// <summary>What an event is about.</summary>
/// <param name="WebhookId">The web hook.</param>
/// <param name="OrderId">The order; absent in a test event.</param>
/// <param name="Number">Its number, for people.</param>
/// <param name="Status">The status that the event brought.</param>
/// <param name="Reason">Why; only of a rejected order.</param>
internal sealed record WebhookData(Guid WebhookId, Guid? OrderId, string? Number, OrderStatus? Status, string? Reason);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull
)]
[JsonSerializable(typeof(WebhookEvent))]
internal sealed partial class WebhookEventJson : JsonSerializerContext;
