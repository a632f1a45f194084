using Orders.Infrastructure.Invoices;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

namespace Orders.Workers.Invoice;

/// <summary>Registers what the invoice step needs.</summary>
public static class InvoiceRegistration
{
    /// <summary>Adds numbers, fonts and document. Called only where the step runs.</summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Invoice</c> cannot work, or a font is missing: better
    /// no host than one that dead-letters every invoice.</exception>
    public static IServiceCollection AddInvoice(this IServiceCollection services, IConfiguration configuration)
    {
        var options = InvoiceOptions.Read(configuration);
        services.AddSingleton(options.Seller);
        services.AddSingleton(options.Numbering);
        services.AddSingleton(InvoiceFonts.Load(options.FontDirectory));
        services.AddSingleton<InvoicePdf>();
        services.AddHostedService<InvoiceCounterCheck>();
        services.AddSingleton<InvoiceNumbers>();
        services.AddSingleton<CreditNoteNumbers>();
        services.AddSingleton<IStepWriter, StoreInvoicePdfWriter>();
        services.AddSingleton<IStepWriter, StoreCreditNotePdfWriter>();
        return services;
    }
}
