namespace Orders.Infrastructure;

/// <summary>What a client posted: immutable facts. What changes is in <see cref="OrderProgress"/>.</summary>
public sealed class Order
{
    /// <summary>Version 7 UUID: sorts by time of acceptance.</summary>
    public Guid Id { get; init; }

    /// <summary>Running number, unique, with gaps. People see it through <see cref="OrderNumber.Format"/>.</summary>
    public long Number { get; init; }

    /// <summary>The API client that owns the order; others never see it.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>The customer's name, 1–100 visible characters.</summary>
    public string CustomerName { get; init; } = "";

    /// <summary>One bare mail address, at most 254 characters.</summary>
    public string CustomerEmail { get; init; } = "";

    /// <summary>How the customer is written to; see <see cref="CustomerLocale"/>.</summary>
    public string Locale { get; init; } = CustomerLocale.Default;

    /// <summary>EUR, USD or GBP.</summary>
    public string Currency { get; init; } = "";

    /// <summary>Sum of the lines, in <see cref="Currency"/>.</summary>
    public decimal Total { get; init; }

    /// <summary>Whether the order goes before normal ones.</summary>
    public bool Premium { get; init; }

    /// <summary>Free text, at most 500 characters.</summary>
    public string? Notes { get; init; }

    /// <summary>Street and house number.</summary>
    public string ShipLine1 { get; init; } = "";

    /// <summary>City.</summary>
    public string ShipCity { get; init; } = "";

    /// <summary>Postal code, at most 20 characters; empty where the country has none.</summary>
    public string ShipPostalCode { get; init; } = "";

    /// <summary>ISO 3166-1 alpha-2.</summary>
    public string ShipCountry { get; init; } = "";

    /// <summary>When the steps may begin; null means at once.</summary>
    public DateTimeOffset? ReleaseAt { get; init; }

    /// <summary>When it was accepted.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When what it says about the customer was erased; null unless it was.</summary>
    public DateTimeOffset? ErasedAt { get; init; }

    /// <summary>The lines, in the order in which they were posted.</summary>
    public IReadOnlyList<OrderLine> Lines { get; init; } = [];

    /// <summary>Where the order stands.</summary>
    public OrderProgress? Progress { get; init; }
}
