using System.Text.Json;

namespace Orders.Producer.Api.Validation;

/// <summary>Reads the body of an order: its shape, nothing of its meaning.</summary>
internal static class OrderBody
{
    // Of an order in a batch; an order alone has the header.
    private const string Key = "idempotencyKey";

    private static readonly string[] Required = ["customer", "lines", "currency", "shippingAddress"];
    private static readonly string[] Optional = ["premium", "notes", "releaseAt"];
    private static readonly Members OrderMembers = new(Required, Optional);
    private static readonly Members BatchOrderMembers = new(Required, [.. Optional, Key]);
    private static readonly Members CustomerMembers = new(["name", "email"], ["locale"]);
    private static readonly Members LineMembers = new(["sku", "quantity"], []);
    private static readonly Members AddressMembers = new(["line1", "city", "country"], ["postalCode"]);

    private static readonly Pointer Customer = new("", -1, "customer");
    private static readonly Pointer Lines = new("", -1, "lines");
    private static readonly Pointer Address = new("", -1, "shippingAddress");

    /// <summary>Reads an order.</summary>
    /// <param name="body">UTF-8 JSON, as it came.</param>
    /// <param name="draft">The order; of use only when there are no errors.</param>
    /// <returns>Everything that is wrong with the shape; null when nothing is.</returns>
    public static FieldErrors? Read(ReadOnlySpan<byte> body, out OrderDraft draft) =>
        Read(body, OrderMembers, out draft);

    /// <summary>Reads an order of a batch, which may have an Idempotency-Key of its own.</summary>
    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, out OrderDraft)"/>
    public static FieldErrors? ReadOfBatch(ReadOnlySpan<byte> body, out OrderDraft draft) =>
        Read(body, BatchOrderMembers, out draft);

    private static FieldErrors? Read(ReadOnlySpan<byte> body, Members members, out OrderDraft draft)
    {
        draft = new OrderDraft();
        try
        {
            var reader = new StrictReader(body);
            ReadOrder(ref reader, members, draft);
            reader.Finish();
            return reader.Errors;
        }
        catch (Exception exception) when (exception is JsonException or MalformedBodyException)
        {
            return Malformed(exception);
        }
    }

    /// <summary>The error for a body that breaks off being JSON somewhere. Says where, not what stands there.</summary>
    public static FieldErrors Malformed(Exception exception)
    {
        var errors = new FieldErrors();
        errors.Add(
            "",
            exception is JsonException json
                ? FormattableString.Invariant(
                    $"must be one JSON object (RFC 8259); it breaks off at line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}"
                )
                : exception.Message
        );
        return errors;
    }

    private static void ReadOrder(ref StrictReader reader, Members members, OrderDraft draft)
    {
        if (!reader.EnterObject(Pointer.Root))
            return;

        var seen = 0u;
        while (reader.NextMember(members, Pointer.Root, ref seen, out var member))
        {
            switch (member)
            {
                case 0:
                    ReadCustomer(ref reader, draft);
                    break;
                case 1:
                    ReadLines(ref reader, draft);
                    break;
                case 2:
                    draft.Currency = reader.Text(Pointer.Root.To("currency")) ?? "";
                    break;
                case 3:
                    ReadAddress(ref reader, draft);
                    break;
                case 4:
                    draft.Premium = reader.Flag(Pointer.Root.To("premium"));
                    break;
                case 5:
                    draft.Notes = reader.OptionalText(Pointer.Root.To("notes"));
                    break;
                case 6:
                    draft.ReleaseAt = reader.OptionalText(Pointer.Root.To("releaseAt"));
                    break;
                default:
                    draft.IdempotencyKey = reader.OptionalText(Pointer.Root.To(Key));
                    break;
            }
        }
    }

    private static void ReadCustomer(ref StrictReader reader, OrderDraft draft)
    {
        if (!reader.EnterObject(Customer))
            return;

        var seen = 0u;
        while (reader.NextMember(CustomerMembers, Customer, ref seen, out var member))
        {
            switch (member)
            {
                case 0:
                    draft.CustomerName = reader.Text(Customer.To("name")) ?? "";
                    break;
                case 1:
                    draft.CustomerEmail = reader.Text(Customer.To("email")) ?? "";
                    break;
                default:
                    draft.Locale = reader.OptionalText(Customer.To("locale"));
                    break;
            }
        }
    }

    private static void ReadLines(ref StrictReader reader, OrderDraft draft)
    {
        if (!reader.EnterArray(Lines))
            return;

        for (var i = 0; reader.NextElement(); i++)
        {
            var line = Lines.At(i);
            if (!reader.EnterObject(line))
                continue;

            var (sku, quantity, seen) = ("", 0, 0u);
            while (reader.NextMember(LineMembers, line, ref seen, out var member))
            {
                if (member == 0)
                    sku = reader.Text(line.To("sku")) ?? "";
                else
                    quantity = reader.Whole(line.To("quantity"));
            }

            draft.Lines.Add(new DraftLine(sku, quantity));
        }
    }

    private static void ReadAddress(ref StrictReader reader, OrderDraft draft)
    {
        if (!reader.EnterObject(Address))
            return;

        var seen = 0u;
        while (reader.NextMember(AddressMembers, Address, ref seen, out var member))
        {
            var at = Address.To(AddressMembers.NameOf(member));
            switch (member)
            {
                case 0:
                    draft.ShipLine1 = reader.Text(at) ?? "";
                    break;
                case 1:
                    draft.ShipCity = reader.Text(at) ?? "";
                    break;
                case 2:
                    draft.ShipCountry = reader.Text(at) ?? "";
                    break;
                default:
                    draft.ShipPostalCode = reader.OptionalText(at) ?? "";
                    break;
            }
        }
    }
}
