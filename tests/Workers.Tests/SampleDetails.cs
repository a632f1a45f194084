using Orders.Infrastructure.Reading;

namespace Orders.Workers.Tests;

/// <summary>An order as a step reads it.</summary>
internal static class SampleDetails
{
    public static OrderSnapshot Of(
        string name = "Zoë Müller",
        string email = "zoe@example.com",
        string article = "Blue mug",
        string locale = "en"
    ) =>
        new(
            Guid.CreateVersion7(),
            1234,
            name,
            email,
            "EUR",
            1034.50m,
            new ShippingAddress("Hafenstr. 1", "Hamburg", "20457", "DE"),
            [
                new OrderSnapshotLine("MUG-BLUE", article, 2, 34.50m),
                new OrderSnapshotLine("TEA-GREEN-100", "Green tea", 1, 1000m),
            ],
            locale
        );
}
