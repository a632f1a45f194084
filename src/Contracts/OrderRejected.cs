namespace Orders.Contracts;

/// <summary>The order ended without being filled. Published once per order; nobody has to listen.</summary>
/// <param name="OrderId">The order; also the message's correlation id.</param>
/// <param name="Reason">Why, in a sentence for people.</param>
/// <param name="RejectedAt">When the refusal was committed, UTC.</param>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record OrderRejected(Guid OrderId, string Reason, DateTimeOffset RejectedAt);
