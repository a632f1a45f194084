namespace Orders.Workers.Email;

/// <summary>The words of the mails to customers in one language. Sentences are made from the order's number.</summary>
internal sealed class MailWords
{
    private static readonly MailWords English = new()
    {
        Dear = name => $"Dear {name},",
        Total = "Total",
        InStock = pieces => $"{pieces} in stock",
        Confirmation = new(
            number => $"Your order {number}",
            number => $"thank you for your order {number}. We have received it and are getting it ready."
        ),
        Apology = new(
            number => $"Your order {number} cannot be filled",
            number =>
                $"we are sorry: we cannot fill your order {number}, because these articles are not in stock as "
                + "ordered. Nothing will be charged or sent."
        ),
        Cancellation = new(
            number => $"Your order {number} is cancelled",
            number =>
                $"your order {number} has been cancelled. Nothing will be sent, and an invoice that you may have "
                + "received is taken back. These articles were in it:"
        ),
    };

    private static readonly MailWords German = new()
    {
        Dear = name => $"Guten Tag {name},",
        Total = "Summe",
        InStock = pieces => $"{pieces} auf Lager",
        Confirmation = new(
            number => $"Ihre Bestellung {number}",
            number => $"vielen Dank für Ihre Bestellung {number}. Sie ist eingegangen, und wir bereiten sie vor."
        ),
        Apology = new(
            number => $"Ihre Bestellung {number} kann nicht ausgeführt werden",
            number =>
                $"leider können wir Ihre Bestellung {number} nicht ausführen, weil diese Artikel nicht in der bestellten "
                + "Menge auf Lager sind. Wir berechnen und versenden nichts."
        ),
        Cancellation = new(
            number => $"Ihre Bestellung {number} ist storniert",
            number =>
                $"Ihre Bestellung {number} wurde storniert. Wir versenden nichts. Falls Sie schon eine Rechnung "
                + "erhalten haben, wird sie aufgehoben. Diese Artikel waren bestellt:"
        ),
    };

    /// <summary>The salutation, from the customer's name.</summary>
    public required Func<string, string> Dear { get; init; }

    public required string Total { get; init; }

    /// <summary>What is on hand, from the number of pieces.</summary>
    public required Func<string, string> InStock { get; init; }

    public required Sentences Confirmation { get; init; }

    public required Sentences Apology { get; init; }

    public required Sentences Cancellation { get; init; }

    /// <summary>The words of a language.</summary>
    public static MailWords Of(string language) => language == "de" ? German : English;

    /// <summary>What one kind of mail says, from the order's number.</summary>
    public sealed record Sentences(Func<string, string> Subject, Func<string, string> Opening);
}
