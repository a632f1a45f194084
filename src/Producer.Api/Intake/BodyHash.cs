using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Orders.Infrastructure;
using Orders.Producer.Api.Validation;
using QueueWorkers.PersonalData;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// The hash that tells whether two bodies are the same: over their members in a fixed order, so that white space, the
/// order of members and the spelling of texts (escapes) do not count.
/// </summary>
/// <remarks>
/// Made from the members instead of from JSON: how a JSON writer escapes depends on the version of .NET, and the hash
/// has to stay the same for as long as keys are kept.
/// A member with its default value is left out, as if it had not been sent; so a new optional member changes no hash.
/// It is an HMAC with a secret of the installation: a body holds a name and an address, which could be guessed from a
/// bare hash.
/// </remarks>
internal static class BodyHash
{
    // A change to the form needs another version, and both hashes at intake (NewOrder.EarlierBodyHashes) for as long as
    // keys are kept.
    private const byte Version = 2;
    private const byte Bare = 1;
    private const string Purpose = "posted body";

    /// <summary>The hash of an order.</summary>
    public static byte[] Of(OrderDraft draft, PersonalDataHash hash) =>
        [Version, .. hash.Of(Purpose, FormOf(draft).WrittenSpan)];

    /// <summary>
    /// The hashes of the same order that earlier builds stored, or that were made with an earlier secret.
    /// </summary>
    /// <param name="draft">The order.</param>
    /// <param name="body">Its body as it came.</param>
    /// <param name="hash">Makes the hashes.</param>
    public static IReadOnlyList<byte[]> EarlierOf(OrderDraft draft, ReadOnlySpan<byte> body, PersonalDataHash hash)
    {
        var form = FormOf(draft).WrittenSpan;
        byte[] bare = [Bare, .. SHA256.HashData(form)];
        return
        [
            bare,
            SHA256.HashData(body),
            .. hash.EarlierOf(Purpose, form).Select(earlier => (byte[])[Version, .. earlier]),
        ];
    }

    private static ArrayBufferWriter<byte> FormOf(OrderDraft draft)
    {
        var form = new ArrayBufferWriter<byte>(512);
        Add(form, "currency"u8, draft.Currency);
        Add(form, "customer.email"u8, draft.CustomerEmail);
        Add(form, "customer.name"u8, draft.CustomerName);
        if (draft.Locale is { } locale && locale != CustomerLocale.Default)
            Add(form, "customer.locale"u8, locale);
        foreach (var (sku, quantity) in draft.Lines)
        {
            Add(form, "lines.quantity"u8, quantity.ToString(CultureInfo.InvariantCulture));
            Add(form, "lines.sku"u8, sku);
        }

        if (draft.Notes is { } notes)
            Add(form, "notes"u8, notes);
        if (draft.Premium)
            Add(form, "premium"u8, "true");
        if (draft.ReleaseAt is { } releaseAt)
            Add(form, "releaseAt"u8, releaseAt);
        Add(form, "shippingAddress.city"u8, draft.ShipCity);
        Add(form, "shippingAddress.country"u8, draft.ShipCountry);
        Add(form, "shippingAddress.line1"u8, draft.ShipLine1);
        if (draft.ShipPostalCode.Length > 0)
            Add(form, "shippingAddress.postalCode"u8, draft.ShipPostalCode);
        return form;
    }

    // With its length, so that no value can pose as the next member.
    private static void Add(ArrayBufferWriter<byte> form, ReadOnlySpan<byte> name, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        var at = form.GetSpan(name.Length + sizeof(int) + length);
        name.CopyTo(at);
        BinaryPrimitives.WriteInt32BigEndian(at[name.Length..], length);
        Encoding.UTF8.GetBytes(value, at[(name.Length + sizeof(int))..]);
        form.Advance(name.Length + sizeof(int) + length);
    }
}
