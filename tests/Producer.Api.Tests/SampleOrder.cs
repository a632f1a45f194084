namespace Orders.Producer.Api.Tests;

/// <summary>A valid order, and ways to spoil it.</summary>
internal static class SampleOrder
{
    public const string Text = """
        {"customer":{"name":"Zoë Müller","email":"zoe@example.com"},"lines":[{"sku":"MUG-BLUE","quantity":2}],"currency":"EUR","shippingAddress":{"line1":"Hafenstr. 1","city":"Hamburg","postalCode":"20457","country":"DE"},"premium":false,"notes":"ring twice","releaseAt":null}
        """;

    /// <summary>The order with one piece of its text replaced.</summary>
    public static string With(string piece, string replacement)
    {
        if (!Text.Contains(piece, StringComparison.Ordinal))
            throw new ArgumentException($"Expected a piece of the sample order, found {piece}.");
        return Text.Replace(piece, replacement, StringComparison.Ordinal);
    }

    public static string WithName(string json) => With("\"Zoë Müller\"", json);

    public static string WithMail(string json) => With("\"zoe@example.com\"", json);

    public static string WithLocale(string json) =>
        With("\"zoe@example.com\"", $"\"zoe@example.com\",\"locale\":{json}");

    public static string WithLines(string json) => With("""[{"sku":"MUG-BLUE","quantity":2}]""", json);

    public static string WithQuantity(string json) => With("\"quantity\":2", $"\"quantity\":{json}");

    public static string WithNotes(string json) => With("\"ring twice\"", json);

    public static string WithReleaseAt(string json) => With("\"releaseAt\":null", $"\"releaseAt\":{json}");
}
