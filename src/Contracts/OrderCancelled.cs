namespace Orders.Contracts;

/// <summary>
/// An order was cancelled: what was not begun is left out, and every step undoes what it had done. A step may be told
/// more than once; it undoes once.
/// </summary>
/// <param name="OrderId">The order.</param>
/// <param name="CancelledAt">When.</param>
[Keys(KeysAttribute.Customer, KeysAttribute.MailDomain)]
public sealed record OrderCancelled(Guid OrderId, DateTimeOffset CancelledAt);
