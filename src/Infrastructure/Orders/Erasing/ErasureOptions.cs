using System.Globalization;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Erasing;

/// <summary>What erased customers leave behind for a while, section <c>Erasure</c>.</summary>
public sealed record ErasureOptions
{
    /// <summary>
    /// How long invoices and credit notes of erased customers are kept after their issue, as tax law asks. Default:
    /// 3653 days.
    /// </summary>
    public TimeSpan KeepInvoices { get; init; } = TimeSpan.FromDays(3653);

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static ErasureOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Erasure");
        var keep = new ErasureOptions().KeepInvoices;
        new ConfigurationProblems()
            .Require(
                section["KeepInvoices"] is not { } text
                    || (
                        TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out keep)
                        && keep >= TimeSpan.FromDays(1)
                        && keep <= TimeSpan.FromDays(36525)
                    ),
                $"Erasure:KeepInvoices must be 1.00:00:00–36525.00:00:00, got '{section["KeepInvoices"]}'; set Erasure__KeepInvoices"
            )
            .ThrowIfAny();
        return new ErasureOptions { KeepInvoices = keep };
    }
}
