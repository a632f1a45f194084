using System.Text.Json;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>An order that a client posts, found again by its customer's address wherever it leaves a trace.</summary>
/// <param name="IsRejected">Whether it asks for more than there is, so that it must end as rejected.</param>
internal sealed record PostedOrder(bool IsRejected = false)
{
    /// <summary>The Idempotency-Key.</summary>
    public string Key { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The customer's address.</summary>
    public string Mail => $"{Key}@example.com";

    /// <summary>The customer's name.</summary>
    public string Name { get; init; } = "Zoë Müller";

    /// <summary>
    /// Whether the customer cancels it before the warehouse has it, so that it must end as cancelled.
    /// </summary>
    public bool IsCancelled { get; init; }

    /// <summary>The id that the API gave it.</summary>
    public Guid Id { get; set; }

    /// <summary>The order as it is posted.</summary>
    public string Body =>
        JsonSerializer.Serialize(
            new
            {
                customer = new { name = Name, email = Mail },
                lines = new object[]
                {
                    new { sku = IsRejected ? "BOWL-EMPTY" : "MUG-BLUE", quantity = 1 },
                    new { sku = "TEA-GREEN-100", quantity = 2 },
                },
                currency = "EUR",
                shippingAddress = new
                {
                    line1 = "Hafenstr. 1",
                    city = "Hamburg",
                    postalCode = "20457",
                    country = "DE",
                },
            }
        );
}
