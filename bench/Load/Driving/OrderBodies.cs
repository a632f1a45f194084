using System.Globalization;
using System.Text.Json;

namespace Orders.Bench.Load.Driving;

/// <summary>The orders to post: the n-th order of a seed is the same for every system and every run.</summary>
public sealed class OrderBodies(int seed)
{
    public const int Skus = 1000;

    public static string Sku(int number) => string.Create(CultureInfo.InvariantCulture, $"SKU-{number:0000}");

    /// <summary>
    /// The JSON of order <paramref name="number"/>: a mail address, three different SKUs out of 1,000, one in ten
    /// premium.
    /// </summary>
    public byte[] Body(int number)
    {
        var random = new Random(HashCode(seed, number));
        var skus = new SortedSet<int>();
        while (skus.Count < 3)
            skus.Add(random.Next(Skus));
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                customer = new { name = $"Customer {number}", email = $"customer{number}@example.com" },
                lines = skus.Select(sku => new { sku = Sku(sku), quantity = random.Next(1, 4) }).ToArray(),
                currency = "EUR",
                shippingAddress = new
                {
                    line1 = "Hafenstr. 1",
                    city = "Hamburg",
                    postalCode = "20457",
                    country = "DE",
                },
                premium = random.Next(10) == 0,
            }
        );
    }

    public byte[][] Bodies(int first, int count) => [.. Enumerable.Range(first, count).Select(Body)];

    // Not System.HashCode: that one is seeded anew in every process.
    private static int HashCode(int seed, int number) => unchecked((seed * 397) ^ (number * (int)2654435761));
}
