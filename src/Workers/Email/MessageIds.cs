using System.Globalization;

namespace Orders.Workers.Email;

/// <summary>
/// Message-IDs that follow from what is mailed: a mail sent twice would carry the same one, so a ledger or a mailbox
/// can tell, and a receipt can be asked for.
/// </summary>
public static class MessageIds
{
    /// <summary>The Message-ID of an order's mail, without angle brackets: <c>{effect}.{order}@{domain}</c>.</summary>
    /// <param name="effect">The effect's name, such as <c>email</c>.</param>
    /// <param name="orderId">The order.</param>
    /// <param name="domain">The sender's domain; an international one is written in its ASCII form, because headers
    /// older servers pass on are ASCII.</param>
    public static string For(string effect, Guid orderId, string domain) =>
        $"{effect}.{orderId:N}@{new IdnMapping().GetAscii(domain)}";
}
