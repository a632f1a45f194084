namespace Orders.Contracts;

/// <summary>
/// Every line of the order is reserved; invoice and warehouse may begin. Published once per order, by the inventory
/// step.
/// </summary>
/// <param name="OrderId">The order; also the message's correlation id.</param>
/// <param name="ReservedAt">When the reservation was committed, UTC.</param>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record StockReserved(Guid OrderId, DateTimeOffset ReservedAt);
