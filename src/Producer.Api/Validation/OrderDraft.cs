namespace Orders.Producer.Api.Validation;

/// <summary>An order as it was sent: of the right shape, not yet known to make sense.</summary>
internal sealed class OrderDraft
{
    public string CustomerName { get; set; } = "";

    public string CustomerEmail { get; set; } = "";

    public string? Locale { get; set; }

    public List<DraftLine> Lines { get; } = [];

    public string Currency { get; set; } = "";

    public string ShipLine1 { get; set; } = "";

    public string ShipCity { get; set; } = "";

    public string ShipPostalCode { get; set; } = "";

    public string ShipCountry { get; set; } = "";

    public bool Premium { get; set; }

    public string? Notes { get; set; }

    public string? ReleaseAt { get; set; }

    /// <summary>Of an order in a batch only.</summary>
    public string? IdempotencyKey { get; set; }
}

/// <summary>A line as it was sent.</summary>
internal readonly record struct DraftLine(string Sku, int Quantity);
