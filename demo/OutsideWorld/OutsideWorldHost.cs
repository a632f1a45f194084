using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;
using Orders.OutsideWorld.Pages;
using Orders.OutsideWorld.Smtp;
using Orders.OutsideWorld.Warehouse;

namespace Orders.OutsideWorld;

/// <summary>
/// Builds the outside world: as the program of the demo, or inside a test process. Both are the same application.
/// </summary>
public static class OutsideWorldHost
{
    /// <summary>The longest HTTP body that is read, in bytes.</summary>
    private const long MaxBody = 64 * 1024;

    /// <summary>
    /// Builds the application from arguments and environment; it listens on port 8025 unless told otherwise
    /// (<c>ASPNETCORE_HTTP_PORTS</c>).
    /// </summary>
    /// <param name="args">Command line arguments, read as configuration.</param>
    /// <returns>The application, not started. Bad options are reported when it starts.</returns>
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        if (builder.Configuration["urls"] is null && builder.Configuration["http_ports"] is null)
            builder.WebHost.UseUrls("http://*:8025");
        // Kestrel__Endpoints__… with a certificate; the slim builder knows none by itself.
        builder.WebHost.UseKestrelHttpsConfiguration();
        return Assemble(builder);
    }

    /// <summary>
    /// Starts a world inside this process, on free loopback ports, untouched by the environment and configuration
    /// files.
    /// </summary>
    /// <param name="configure">Changes options; they start as 127.0.0.1, any port, no secret, ledgers in memory. HTTP
    /// listens on the same address as SMTP.</param>
    /// <param name="httpPort">The port for HTTP; 0 takes any free one.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <returns>The running world; dispose it to stop it, which takes less than two seconds.</returns>
    /// <exception cref="OptionsValidationException">The options are wrong; the message lists every problem.</exception>
    /// <exception cref="IOException">A port is taken or the data directory cannot be used.</exception>
    public static async Task<RunningWorld> StartAsync(
        Action<OutsideWorldOptions>? configure = null,
        int httpPort = 0,
        CancellationToken cancellationToken = default
    )
    {
        var options = new OutsideWorldOptions { SmtpHost = IPAddress.Loopback.ToString(), SmtpPort = 0 };
        configure?.Invoke(options);

        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls($"http://{options.SmtpHost}:{httpPort}");
        builder.Services.Configure<OutsideWorldOptions>(given =>
        {
            given.SmtpHost = options.SmtpHost;
            given.SmtpPort = options.SmtpPort;
            given.SmtpUsername = options.SmtpUsername;
            given.SmtpPassword = options.SmtpPassword;
            given.SmtpToken = options.SmtpToken;
            given.SmtpCertificate = options.SmtpCertificate;
            given.SmtpKey = options.SmtpKey;
            given.WarehouseSecret = options.WarehouseSecret;
            given.DataDirectory = options.DataDirectory;
        });

        var app = Assemble(builder);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new RunningWorld(app);
    }

    private static WebApplication Assemble(WebApplicationBuilder builder)
    {
        // Whoever still waits for a slow answer is cut off: the world must go down within two seconds, slow mode or
        // not.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
        });
        builder
            .Services.AddOptions<OutsideWorldOptions>()
            .BindConfiguration(OutsideWorldOptions.Section)
            .ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<OutsideWorldOptions>, OutsideWorldOptionsCheck>();
        builder.Services.AddProblemDetails();
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            // Read by people and by grep in scripts: Zoë stays Zoë and + stays +. Safe, as it is only ever served as
            // JSON with nosniff.
            json.SerializerOptions.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase));
        });
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(_ => new Behaviour());
        builder.Services.AddSingleton<MailLedger>();
        builder.Services.AddSingleton<WarehouseLedger>();
        builder.Services.AddSingleton<MailHandler>();
        builder.Services.AddSingleton<SmtpCertificates>();
        builder.Services.AddSingleton<SmtpServer>();
        builder.Services.AddSingleton<WarehouseEndpoint>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SmtpServer>());
        builder.Services.AddHostedService(services => services.GetRequiredService<WarehouseEndpoint>());

        var app = builder.Build();
        app.UseExceptionHandler(
            new ExceptionHandlerOptions
            {
                // A body too large or cut short is the caller's fault: a 4xx, and no error in the log.
                StatusCodeSelector = problem =>
                    problem is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError,
                SuppressDiagnosticsCallback = handled => handled.Exception is BadHttpRequestException,
            }
        );
        app.UseStatusCodePages();
        app.UsePageSecurity();
        app.MapHealth();
        app.MapPages();
        app.MapMails();
        app.MapGet("/smtp/ca.pem", (SmtpCertificates certificates) => Results.Text(certificates.AuthorityPem));
        app.MapWarehouse();
        app.MapBehaviour();
        // For what has no part of its own here: a step that is being written, or a client's web hook.
        app.MapPost("/anything/{**path}", () => Results.NoContent());
        return app;
    }

    private static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", () => "live");
        // Ready means: does what /behaviour says. A world told to be down is ready all the same.
        app.MapGet(
            "/health/ready",
            (SmtpServer smtp) =>
                smtp.Port > 0 ? Results.Text("ready") : Results.StatusCode(StatusCodes.Status503ServiceUnavailable)
        );
    }
}
