namespace Orders.Contracts;

/// <summary>
/// An order was stored and answered with 2xx; its steps begin. Published once per order, by the API's outbox.
/// </summary>
/// <param name="OrderId">The order; also the message's correlation id.</param>
/// <param name="Premium">Whether the order belongs to the premium class, which goes first.</param>
/// <param name="AcceptedAt">When the order was accepted, UTC.</param>
/// <remarks>
/// Amounts, names and addresses are not in here: consumers read them from the database, so no message can forge them
/// and none carries personal data.
/// </remarks>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record OrderAccepted(Guid OrderId, bool Premium, DateTimeOffset AcceptedAt);
