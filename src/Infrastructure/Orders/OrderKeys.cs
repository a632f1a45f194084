using Orders.Contracts;
using QueueWorkers.Outbox;
using QueueWorkers.PersonalData;

namespace Orders.Infrastructure;

/// <summary>
/// The keys of an order's messages: what a limit per customer or per mail domain tells them apart by. Made once, where
/// an order's first message is; its later ones inherit them.
/// </summary>
internal static class OrderKeys
{
    /// <summary>
    /// The values of the keys. Two spellings of one address that differ in case are one customer: hardly any mail
    /// server tells them apart.
    /// </summary>
    /// <param name="hash">Makes the values.</param>
    /// <param name="email">The customer's mail address.</param>
    public static Func<string, string?> Of(PersonalDataHash hash, string email)
    {
        var address = email.ToLowerInvariant();
        return key =>
            key switch
            {
                KeysAttribute.Customer => MessageKeys.ValueOf(hash, address),
                KeysAttribute.MailDomain => MessageKeys.ValueOf(hash, address[(address.LastIndexOf('@') + 1)..]),
                _ => null,
            };
    }
}
