using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Invoices;
using Orders.Workers.Invoice.Pdf;
using QueueWorkers.Hosting;

namespace Orders.Workers.Invoice;

/// <summary>Configuration of the invoice step, section <c>Invoice</c>.</summary>
public sealed class InvoiceOptions
{
    private static readonly Seller DemoSeller = new("Orders Ltd", "1 Example Street, 10115 Berlin, DE", "DE000000000");

    /// <summary>Directory of the fonts; subdirectories are searched.</summary>
    public string FontDirectory { get; init; } = "/usr/share/fonts";

    /// <summary>Who sends the invoices.</summary>
    public Seller Seller { get; init; } = new("", "", "");

    /// <summary>
    /// Whether this installation is a demo. Invoices of a demo name a made-up seller unless one is set; elsewhere that
    /// seller is refused.
    /// </summary>
    public bool Demo { get; init; }

    /// <summary>Time zone of the seller, in which invoices are dated.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What stands before the number of an invoice. A change concerns later invoices only.</summary>
    public string Prefix { get; init; } = OrderNumber.InvoicePrefix;

    /// <summary>Number of the first invoice. It has no effect once there is one.</summary>
    /// <value>number</value>
    public int FirstNumber { get; init; } = 1;

    /// <summary>What stands before the number of a credit note. A change concerns later credit notes only.</summary>
    public string CreditNotePrefix { get; init; } = OrderNumber.CreditNotePrefix;

    /// <summary>Number of the first credit note. It has no effect once there is one.</summary>
    /// <value>number</value>
    public int FirstCreditNote { get; init; } = 1;

    /// <summary>How documents are numbered and dated.</summary>
    internal InvoiceNumbering Numbering => new(Prefix, FirstNumber, CreditNotePrefix, FirstCreditNote, TimeZone);

    /// <summary>Reads and checks the configuration.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static InvoiceOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Invoice");
        var defaults = new InvoiceOptions();
        var problems = new ConfigurationProblems();
        var fonts = section["FontDirectory"] ?? defaults.FontDirectory;
        problems.Require(
            bool.TryParse(Or(section["Demo"], "false"), out var demo),
            $"Invoice:Demo must be true or false, got '{section["Demo"]}'; set Invoice__Demo"
        );
        var seller = ReadSeller(section, demo, problems);
        var zone = Or(section["TimeZone"], defaults.TimeZone);
        problems.Require(
            TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found) && found.HasIanaId,
            $"Invoice:TimeZone must be a name of IANA, such as Europe/Berlin, got '{zone}'; set Invoice__TimeZone, or install the package tzdata"
        );
        var prefix = Or(section["Prefix"], defaults.Prefix);
        var creditNotePrefix = Or(section["CreditNotePrefix"], defaults.CreditNotePrefix);
        problems
            .Require(
                IsPrefix(prefix),
                $"Invoice:Prefix must be 1–20 of A–Z, a–z, 0–9, '-', '_' and '.', got '{prefix}'; set Invoice__Prefix"
            )
            .Require(
                IsPrefix(creditNotePrefix),
                $"Invoice:CreditNotePrefix must be 1–20 of A–Z, a–z, 0–9, '-', '_' and '.', got '{creditNotePrefix}'; "
                    + "set Invoice__CreditNotePrefix"
            )
            .Require(
                prefix != creditNotePrefix,
                $"Invoice:CreditNotePrefix must differ from Invoice:Prefix, or a number would stand for two documents, "
                    + $"got '{prefix}' for both; set Invoice__CreditNotePrefix"
            )
            .Require(
                IsNumber(section["FirstNumber"], out var firstNumber),
                $"Invoice:FirstNumber must be 1–99999999, got '{section["FirstNumber"]}'; set Invoice__FirstNumber"
            )
            .Require(
                IsNumber(section["FirstCreditNote"], out var firstCreditNote),
                $"Invoice:FirstCreditNote must be 1–99999999, got '{section["FirstCreditNote"]}'; "
                    + "set Invoice__FirstCreditNote"
            );
        foreach (var font in InvoiceFonts.Needed)
        {
            problems.Require(
                InvoiceFonts.Find(fonts, font.File) is not null,
                $"Invoice:FontDirectory must hold {font.File}, found none below '{fonts}'; install the package {font.Package} or set Invoice__FontDirectory"
            );
        }

        problems.Require(
            FriBidi.IsInstalled,
            "The invoice step must find the library FriBidi, which orders text from right to left, found none; install the package libfribidi0"
        );
        problems.ThrowIfAny();
        return new InvoiceOptions
        {
            FontDirectory = fonts,
            Seller = seller,
            Demo = demo,
            TimeZone = zone,
            Prefix = prefix,
            FirstNumber = firstNumber,
            CreditNotePrefix = creditNotePrefix,
            FirstCreditNote = firstCreditNote,
        };
    }

    // All of the seller or, in a demo, nothing of it.
    private static Seller ReadSeller(IConfigurationSection section, bool demo, ConfigurationProblems problems)
    {
        var seller = new Seller(
            section["Seller:Name"] ?? "",
            section["Seller:Address"] ?? "",
            section["Seller:TaxId"] ?? ""
        );
        if (demo && seller == new Seller("", "", ""))
            return DemoSeller;
        foreach (
            var (member, text) in ((string, string)[])
                [("Name", seller.Name), ("Address", seller.Address), ("TaxId", seller.TaxId)]
        )
            problems.Require(
                text.Length is >= 1 and <= 100 && !text.Any(char.IsControl),
                $"Invoice:Seller:{member} must be 1–100 printable characters, got {text.Length}; set Invoice__Seller__{member}"
            );
        problems.Require(
            demo || seller.TaxId != DemoSeller.TaxId,
            $"Invoice:Seller:TaxId is {DemoSeller.TaxId}, that of the demo, expected your own; set Invoice__Seller__TaxId"
        );
        return seller;
    }

    // An empty variable is one that is not set: compose passes those on.
    private static string Or(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;

    private static bool IsPrefix(string text) =>
        text.Length is >= 1 and <= 20 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static bool IsNumber(string? text, out int number) =>
        int.TryParse(Or(text, "1"), NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number is >= 1 and <= 99_999_999;
}
