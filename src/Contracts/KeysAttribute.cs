namespace Orders.Contracts;

/// <summary>
/// The keys that a message carries in its headers, by which a limit per key tells messages apart (<c>5/10s per
/// customer</c>). Values are digests: they name nobody.
/// Every message that follows from a message has the keys of its own declaration, with the same values.
/// </summary>
/// <param name="names">Such as <c>customer</c>.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class KeysAttribute(params string[] names) : Attribute
{
    /// <summary>The customer, as his mail address says who he is.</summary>
    public const string Customer = "customer";

    /// <summary>Where the customer's mail goes: the part of the address behind the @.</summary>
    public const string MailDomain = "mail-domain";

    /// <summary>The keys.</summary>
    public IReadOnlyList<string> Names => names;
}
