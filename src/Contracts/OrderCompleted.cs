namespace Orders.Contracts;

/// <summary>The last step of the order is done. Published once per order; nobody has to listen.</summary>
/// <param name="OrderId">The order; also the message's correlation id.</param>
/// <param name="CompletedAt">When the last step's commit happened, UTC.</param>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record OrderCompleted(Guid OrderId, DateTimeOffset CompletedAt);
