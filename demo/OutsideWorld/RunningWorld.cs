using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;
using Orders.OutsideWorld.Smtp;
using Orders.OutsideWorld.Warehouse;

namespace Orders.OutsideWorld;

/// <summary>
/// A world that runs inside this process: where it listens, what it has seen, and the switches of its behaviour.
/// </summary>
public sealed class RunningWorld : IAsyncDisposable
{
    private readonly WebApplication app;

    internal RunningWorld(WebApplication app)
    {
        this.app = app;
        var address = app
            .Services.GetRequiredService<IServer>()
            .Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.First();
        BaseUri = new Uri(address.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal));
        SmtpPort = app.Services.GetRequiredService<SmtpServer>().Port;
        Behaviour = app.Services.GetRequiredService<Behaviour>();
        Mails = app.Services.GetRequiredService<MailLedger>();
        Warehouse = app.Services.GetRequiredService<WarehouseLedger>();
    }

    /// <summary>The address of pages and JSON, with the port that was really taken.</summary>
    public Uri BaseUri { get; }

    /// <summary>The port SMTP was given; it stays the same while the world plays "down".</summary>
    public int SmtpPort { get; }

    /// <summary>The certificate, as PEM, of the authority that the SMTP server's certificate is from.</summary>
    public string SmtpAuthority => app.Services.GetRequiredService<SmtpCertificates>().AuthorityPem;

    /// <summary>How many SMTP connections were turned away because three were open.</summary>
    public int TurnedAway => app.Services.GetRequiredService<SmtpServer>().TurnedAway;

    /// <summary>The most SMTP commands that a client has sent without waiting for a reply (PIPELINING).</summary>
    public int LargestPipeline => app.Services.GetRequiredService<SmtpServer>().LargestPipeline;

    /// <summary>How SMTP server and warehouse behave from now on.</summary>
    public Behaviour Behaviour { get; }

    /// <summary>The mails the world has received.</summary>
    public MailLedger Mails { get; }

    /// <summary>The calls the warehouse has received.</summary>
    public WarehouseLedger Warehouse { get; }

    /// <summary>
    /// Stops the world within two seconds, cutting whatever connections are open, and closes its ledgers.
    /// </summary>
    /// <returns>A task that ends when the ports are free again.</returns>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
