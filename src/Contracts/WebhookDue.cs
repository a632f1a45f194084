namespace Orders.Contracts;

/// <summary>
/// An event is to be delivered to a client's web hook. Published once per delivery, by the transaction in which the
/// event happened.
/// </summary>
/// <param name="DeliveryId">The delivery; also the message's correlation id. What to deliver, and where to, stands in
/// the database.</param>
/// <param name="At">When the event happened, UTC.</param>
public sealed record WebhookDue(Guid DeliveryId, DateTimeOffset At);
