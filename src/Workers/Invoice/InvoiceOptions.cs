using Orders.Infrastructure.Invoices;
using QueueWorkers.Hosting;

namespace Orders.Workers.Invoice;

/// <summary>Configuration of the invoice step, section <c>Invoice</c>.</summary>
public sealed class InvoiceOptions
{
    /// <summary>Directory of the fonts; subdirectories are searched.</summary>
    public string FontDirectory { get; init; } = "/usr/share/fonts";

    /// <summary>Who sends the invoices.</summary>
    public Seller Seller { get; init; } = new("Orders Ltd", "1 Example Street, 10115 Berlin, DE", "DE000000000");

    /// <summary>Reads and checks the configuration.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static InvoiceOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Invoice");
        var defaults = new InvoiceOptions();
        var options = new InvoiceOptions
        {
            FontDirectory = section["FontDirectory"] ?? defaults.FontDirectory,
            Seller = new Seller(
                section["Seller:Name"] ?? defaults.Seller.Name,
                section["Seller:Address"] ?? defaults.Seller.Address,
                section["Seller:TaxId"] ?? defaults.Seller.TaxId
            ),
        };
        var problems = new ConfigurationProblems();
        RequireText(problems, options.Seller.Name, "Name");
        RequireText(problems, options.Seller.Address, "Address");
        RequireText(problems, options.Seller.TaxId, "TaxId");
        foreach (var font in InvoiceFonts.Needed)
        {
            problems.Require(
                InvoiceFonts.Find(options.FontDirectory, font.File) is not null,
                $"Invoice:FontDirectory must hold {font.File}, found none below '{options.FontDirectory}'; install the package {font.Package} or set Invoice__FontDirectory"
            );
        }

        problems.ThrowIfAny();
        return options;
    }

    private static void RequireText(ConfigurationProblems problems, string text, string member) =>
        problems.Require(
            text.Length is >= 1 and <= 100 && !text.Any(char.IsControl),
            $"Invoice:Seller:{member} must be 1–100 printable characters, got {text.Length}; set Invoice__Seller__{member}"
        );
}
