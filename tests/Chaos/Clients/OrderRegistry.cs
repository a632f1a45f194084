using System.Globalization;
using System.Text.Json;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Clients;

/// <summary>An order to post.</summary>
/// <param name="Key">Its Idempotency-Key.</param>
/// <param name="Address">Its mail address, unlike any other's.</param>
/// <param name="Lines">What it orders; empty when the order is wrong on purpose.</param>
/// <param name="Body">The JSON.</param>
/// <param name="PostedTwice">Whether the client posts it again after it has its answer, as clients do that lost their
/// own notes.</param>
public sealed record BookedOrder(string Key, string Address, IReadOnlyList<Line> Lines, byte[] Body, bool PostedTwice);

/// <summary>The orders of a run: the n-th order of a seed is the same in every run.</summary>
/// <param name="seed">The seed.</param>
public sealed class OrderRegistry(int seed)
{
    private const double WrongShare = 0.02;
    private const double RejectedShare = 0.02;
    private const double TwiceShare = 0.03;

    private static readonly string[] Plenty =
    [
        "MUG-BLUE",
        "MUG-WHITE",
        "MUG-ENAMEL",
        "TEAPOT-CLAY",
        "TEA-GREEN-100",
        "TEA-BLACK-100",
        "COFFEE-BEAN-1KG",
        "FILTER-PAPER-80",
        "SPOON-SET-6",
        "CLOTH-LINEN",
        "HONEY-500",
        "CANDLE-WAX",
    ];

    private static readonly string[] Currencies = ["EUR", "USD", "GBP"];

    /// <summary>The order of a number.</summary>
    public BookedOrder Order(int number)
    {
        // Not System.HashCode: that one is seeded anew in every process.
        var random = new Random(unchecked((seed * 397) ^ (number * (int)2654435761)));
        var (key, address) = (Invariant($"chaos-{seed}-{number:000000}"), Invariant($"c{number}.s{seed}@example.com"));
        var wrong = random.NextDouble() < WrongShare;
        // Nobody has a bowl: the order is refused by the inventory, and its customer gets an apology.
        var rejected = !wrong && random.NextDouble() < RejectedShare;
        var lines = Enumerable
            .Range(0, random.Next(1, 4))
            .Select(_ => Plenty[random.Next(Plenty.Length)])
            .Distinct()
            .Order()
            .Select(sku => new Line(sku, random.Next(1, 4)))
            .ToList();
        if (rejected)
            lines.Add(new Line("BOWL-EMPTY", 1));
        var body = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                customer = new { name = Invariant($"Customer {number}"), email = address },
                lines = lines
                    .Select(l => new { sku = wrong ? "NO-SUCH-ARTICLE" : l.Sku, quantity = l.Quantity })
                    .ToArray(),
                currency = Currencies[random.Next(Currencies.Length)],
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
        return new BookedOrder(key, address, wrong ? [] : lines, body, random.NextDouble() < TwiceShare);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
