namespace Orders.Contracts;

/// <summary>
/// At least one line cannot be filled, so nothing was reserved: a business refusal, not a fault. The order is Rejected
/// and the customer gets an apology.
/// </summary>
/// <param name="OrderId">The order; also the message's correlation id.</param>
/// <param name="Shortages">The lines that could not be filled; never empty.</param>
/// <param name="RejectedAt">When the refusal was committed, UTC.</param>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record StockRejected(Guid OrderId, IReadOnlyList<StockShortage> Shortages, DateTimeOffset RejectedAt);
