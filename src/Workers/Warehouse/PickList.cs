using System.Text.Json;
using System.Text.Json.Serialization;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Workers.Warehouse;

/// <summary>What the warehouse is told: what to send, and where.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Number">Its number, as people see it.</param>
/// <param name="Lines">What to pick.</param>
/// <param name="ShipTo">Where it goes.</param>
public sealed record PickList(Guid OrderId, string Number, IReadOnlyList<PickLine> Lines, PickAddress ShipTo)
{
    /// <summary>The pick list of an order.</summary>
    public static PickList Of(OrderSnapshot order) =>
        new(
            order.OrderId,
            OrderNumber.Format(order.Number),
            [.. order.Lines.Select(l => new PickLine(l.Sku, l.Quantity))],
            new PickAddress(
                order.CustomerName,
                order.ShipTo.Line1,
                order.ShipTo.City,
                order.ShipTo.PostalCode,
                order.ShipTo.Country
            )
        );

    /// <summary>As UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, PickListJson.Default.PickList);
}

/// <summary>Pieces of one article.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Quantity">Pieces.</param>
public sealed record PickLine(string Sku, int Quantity);

/// <summary>An address on a parcel.</summary>
/// <param name="Name">The receiver.</param>
/// <param name="Line1">Street and house number.</param>
/// <param name="City">City.</param>
/// <param name="PostalCode">Postal code.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
public sealed record PickAddress(string Name, string Line1, string City, string PostalCode, string Country);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PickList))]
internal sealed partial class PickListJson : JsonSerializerContext;
