using System.ComponentModel.DataAnnotations;
using Orders.Infrastructure.Webhooks;
using Orders.Producer.Api.Orders;
using QueueWorkers.Steps;

namespace Orders.Producer.Api.Webhooks;

/// <summary>A web hook to be registered.</summary>
/// <param name="Url">Where events are posted to: an absolute https address without user name and fragment.</param>
/// <param name="Events">What to be told of; all events when absent.</param>
public sealed record WebhookRequest(
    [property: Required, MaxLength(2000)] string Url,
    [property: MinLength(1)] string[]? Events = null
);

/// <summary>A web hook.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where events are posted to.</param>
/// <param name="Events">What it is told of.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="PreviousSecretUntil">Until when the secret before the last rotation signs as well; null before the
/// first one.</param>
public sealed record WebhookAnswer(
    Guid Id,
    string Url,
    IReadOnlyList<string> Events,
    DateTime CreatedAt,
    DateTime? PreviousSecretUntil
)
{
    internal static WebhookAnswer Of(RegisteredWebhook webhook) =>
        new(
            webhook.Id,
            webhook.Url.AbsoluteUri,
            webhook.Events,
            webhook.CreatedAt.UtcDateTime,
            webhook.PreviousUntil?.UtcDateTime
        );
}

/// <summary>A web hook with its new secret, which is shown in this answer only.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where events are posted to.</param>
/// <param name="Events">What it is told of.</param>
/// <param name="Secret">The secret that signs: <c>whsec_</c> and the base64 of 32 bytes.</param>
/// <param name="CreatedAt">When it was registered.</param>
/// <param name="PreviousSecretUntil">Until when the secret before signs as well; null when there is none.</param>
public sealed record WebhookWithSecret(
    Guid Id,
    string Url,
    IReadOnlyList<string> Events,
    string Secret,
    DateTime CreatedAt,
    DateTime? PreviousSecretUntil
)
{
    internal static WebhookWithSecret Of(RegisteredWebhook webhook, byte[] secret) =>
        new(
            webhook.Id,
            webhook.Url.AbsoluteUri,
            webhook.Events,
            WebhookSecret.Format(secret),
            webhook.CreatedAt.UtcDateTime,
            webhook.PreviousUntil?.UtcDateTime
        );
}

/// <summary>A test event that is on its way.</summary>
/// <param name="DeliveryId">The delivery, see the log; the receiver sees it as <c>webhook-id</c>.</param>
public sealed record TestedWebhook(Guid DeliveryId);

/// <summary>A delivery.</summary>
/// <param name="Id">The delivery; the receiver sees it as <c>webhook-id</c>.</param>
/// <param name="Event">The event.</param>
/// <param name="OrderId">The order; null for a test event.</param>
/// <param name="At">When the event happened.</param>
/// <param name="Status">Waiting, Retrying, Done, Failed (given up; an operator can send it again), or Rejected.</param>
/// <param name="Attempts">Attempts so far.</param>
/// <param name="NextAttemptAt">When the next one follows; null when none does.</param>
/// <param name="FinishedAt">When it was delivered or given up; null before.</param>
/// <param name="LastFault">Why the last failed attempt failed, in a sentence.</param>
/// <param name="LastFaultCode">The same as a stable code.</param>
public sealed record DeliveryAnswer(
    Guid Id,
    string Event,
    Guid? OrderId,
    DateTime At,
    StepStatus Status,
    int Attempts,
    DateTime? NextAttemptAt,
    DateTime? FinishedAt,
    string? LastFault,
    string? LastFaultCode
)
{
    internal static DeliveryAnswer Of(DeliveryState delivery)
    {
        var fault = ClientFault.OfDelivery(delivery.LastFault);
        return new(
            delivery.Id,
            delivery.Event,
            delivery.OrderId,
            delivery.At.UtcDateTime,
            delivery.Status,
            delivery.Attempts,
            delivery.NextAttemptAt?.UtcDateTime,
            delivery.FinishedAt?.UtcDateTime,
            fault?.Sentence,
            fault?.Code
        );
    }
}
