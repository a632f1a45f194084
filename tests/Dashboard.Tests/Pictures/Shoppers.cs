using Orders.Infrastructure.Intake;

namespace Orders.Dashboard.Tests.Pictures;

/// <summary>
/// The customers of the shop in the pictures and what they buy. Nothing is drawn by chance: the n-th order is the same
/// each time.
/// </summary>
internal sealed class Shoppers
{
    private static readonly (string Name, string Street, string City, string PostalCode, string Country)[] People =
    [
        ("Zoë Müller", "Hafenstr. 1", "Hamburg", "20457", "DE"),
        ("Jan de Vries", "Herengracht 48", "Amsterdam", "1015 BN", "NL"),
        ("Amélie Laurent", "12 rue des Lilas", "Lyon", "69003", "FR"),
        ("Giulia Rossi", "Via Garibaldi 7", "Torino", "10122", "IT"),
        ("Oskar Lindqvist", "Storgatan 21", "Uppsala", "753 31", "SE"),
        ("Marta Nowak", "ul. Długa 15", "Kraków", "31-147", "PL"),
        ("Lukas Gruber", "Mariahilfer Str. 88", "Wien", "1070", "AT"),
        ("Inês Carvalho", "Rua do Ouro 30", "Porto", "4150-553", "PT"),
        ("Aoife Byrne", "5 Parnell Street", "Cork", "T12 XK81", "IE"),
        ("Niklas Jensen", "Algade 14", "Roskilde", "4000", "DK"),
        ("Elena García", "Calle Mayor 3", "Valencia", "46001", "ES"),
        ("Hanna Virtanen", "Aleksanterinkatu 9", "Turku", "20100", "FI"),
    ];

    private readonly string[] _skus;
    private readonly (string Name, decimal Price, decimal Vat)[] _articles;
    private readonly int _steps;
    private int _count;

    private Shoppers(int steps, string[] skus, (string, decimal, decimal)[] articles) =>
        (_steps, _skus, _articles) = (steps, skus, articles);

    /// <summary>Reads what the shop sells.</summary>
    public static async Task<Shoppers> OfAsync(OrdersSystem system)
    {
        var rows = await system.Database.RowsAsync(
            "select c.sku, c.name, c.price_eur, c.vat_rate from catalogue c join stock s using (sku) where c.sold and s.on_hand > 1000 order by c.sku"
        );
        return new(
            await system.RequiredStepsAsync(),
            [.. rows.Select(row => (string)row[0]!)],
            [.. rows.Select(row => ((string)row[1]!, (decimal)row[2]!, (decimal)row[3]!))]
        );
    }

    /// <summary>The next orders.</summary>
    public NewOrder[] Next(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    /// <summary>The next order, of an article that is out of stock.</summary>
    public NewOrder NextOutOfStock() =>
        Next() with
        {
            Lines = [new NewOrderLine("BOWL-EMPTY", "Bowl, out of stock", 1, 24.00m, 19m)],
        };

    private NewOrder Next()
    {
        var n = _count++;
        var (name, street, city, postalCode, country) = People[n % People.Length];
        return new NewOrder
        {
            ClientId = n % 5 == 3 ? "marketplace" : "web-shop",
            CustomerName = name,
            // An address of its own for each order: a mail tells which one it is about.
            CustomerEmail = $"customer{n + 1}@example.com",
            Lines = [Line(n), .. n % 3 == 0 ? [Line(n + 7)] : Array.Empty<NewOrderLine>()],
            Currency = "EUR",
            ShipLine1 = street,
            ShipCity = city,
            ShipPostalCode = postalCode,
            ShipCountry = country,
            Premium = n % 9 == 4,
            RequiredSteps = _steps,
        };
    }

    private NewOrderLine Line(int n)
    {
        var article = n % _skus.Length;
        var (name, price, vat) = _articles[article];
        return new NewOrderLine(_skus[article], name, 1 + n % 3, price, vat);
    }
}
