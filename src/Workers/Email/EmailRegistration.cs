using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Infrastructure.Inventory;
using Orders.Infrastructure.Reading;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Workers.Email;

/// <summary>Registers what the email step needs.</summary>
public static class EmailRegistration
{
    /// <summary>Adds the mailer. Called only where the step runs.</summary>
    /// <exception cref="InvalidConfigurationException">Section <c>Email</c> cannot work.</exception>
    public static IServiceCollection AddEmail(this IServiceCollection services, IConfiguration configuration)
    {
        var options = EmailOptions.Read(configuration);
        services.AddSingleton(options);
        services.AddSingleton(_ => new SmtpPool(options.Smtp));
        services.AddSingleton<Mailer>();
        services.AddSingleton<AtMostOnceMailSender>();
        services.TryAddSingleton<OrderSnapshotReader>();
        services.TryAddSingleton<LowStockReader>();
        services.AddSingleton(_ => new Receipts(
            new HttpClient(
                new TrustedHandler(
                    options.ReceiptsTrust,
                    new SocketsHttpHandler
                    {
                        AllowAutoRedirect = false,
                        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                    }
                )
            ),
            options
        ));
        return services;
    }
}
