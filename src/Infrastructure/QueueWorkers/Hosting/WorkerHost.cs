using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Trace;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Hosting.Secrets;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Hosting;

/// <summary>What every host has in common: telemetry, structured logs, health, secrets from files.</summary>
public static class WorkerHost
{
    /// <summary>The tag of health checks that decide whether the host is ready for work. Others only inform.</summary>
    public const string Ready = "ready";

    /// <summary>Where a host says whether it is ready for work.</summary>
    public const string ReadyPath = "/health/ready";

    // Defaults, before everything an operator can say: a line per request or per failed health check drowns the lines
    // that matter.
    private static readonly Dictionary<string, string?> LogDefaults = new()
    {
        ["Logging:LogLevel:Default"] = "Information",
        ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
        ["Logging:LogLevel:Microsoft.Extensions.Diagnostics.HealthChecks"] = "None",
        ["Logging:LogLevel:Microsoft.EntityFrameworkCore"] = "Warning",
        ["Logging:LogLevel:System.Net.Http"] = "Warning",
        ["Logging:Console:FormatterName"] = ConsoleFormatterNames.Simple,
    };

    /// <summary>Adds it.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="service">The name it reports itself by, such as <c>shop-api</c>.</param>
    /// <param name="settings">The names of all settings: variables that look like one and are none are logged at the
    /// start, and weak secrets are refused outside of the environment <c>Development</c>. Null: neither.</param>
    /// <exception cref="InvalidConfigurationException">A file with a secret cannot be read, or a secret is weak; with
    /// every problem found.</exception>
    public static WebApplicationBuilder AddWorkerHost(
        this WebApplicationBuilder builder,
        string service,
        KnownSettings? settings = null
    )
    {
        Failpoint.Listen();
        var problems = new ConfigurationProblems().Collect(() => builder.Configuration.AddSecretFiles(settings));
        if (settings is not null && !builder.Environment.IsDevelopment())
            problems.Collect(() => builder.Configuration.RefuseWeakSecrets(settings));

        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(
            0,
            new MemoryConfigurationSource { InitialData = LogDefaults }
        );
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Logging.AddConsole();
        builder.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        // One object per line: Logging__Console__FormatterName=json.
        builder.Services.Configure<JsonConsoleFormatterOptions>(console =>
        {
            console.IncludeScopes = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
        });
        if (settings is not null)
            builder.Services.AddSingleton(settings).AddHostedService<UnknownSettingsReport>();
        problems.Collect(() => MetricsPort.AddTo(builder));
        var format = builder.Configuration["Logging:Console:FormatterName"];
        problems
            .Require(
                format is ConsoleFormatterNames.Simple or ConsoleFormatterNames.Json or ConsoleFormatterNames.Systemd,
                $"Logging:Console:FormatterName must be simple, json or systemd, got '{format}'"
            )
            .Collect(() => builder.Services.AddSingleton(LogLimit.Read(builder.Configuration)));
        builder.Services.AddMaskedLogging();
        problems.Collect(() => builder.Services.AddExitDeadline(builder.Configuration));
        builder.Services.AddQueueWorkersTelemetry(builder.Configuration, service);
        builder.Services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddMaskedSpans());
        builder
            .Services.AddSingleton<DatabaseHealth>()
            .AddHealthChecks()
            .AddCheck<DatabaseHealth>("database", tags: [Ready]);
        builder.Services.AddHsts(hsts => hsts.MaxAge = TimeSpan.FromDays(365));
        problems.ThrowIfAny();
        return builder;
    }

    /// <summary>
    /// Maps <c>/health/live</c> (the process works) and <c>/health/ready</c> (it can do its work). Both are open to
    /// everybody and answer the status alone. Metrics, and what each check says, have a port of their own
    /// (<see cref="MetricsPort"/>): a check names hosts, ports and logins.
    /// </summary>
    public static void MapWorkerHost(this IEndpointRouteBuilder endpoints)
    {
        endpoints
            .MapHealthChecks(
                "/health/live",
                new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync }
            )
            .AllowAnonymous();
        endpoints
            .MapHealthChecks(
                ReadyPath,
                new HealthCheckOptions { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = WriteAsync }
            )
            .AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext http, HealthReport report) =>
        MetricsPort.Received(http)
            ? http.Response.WriteAsJsonAsync(
                new
                {
                    status = report.Status.ToString(),
                    checks = report.Entries.ToDictionary(
                        e => e.Key,
                        e => new
                        {
                            status = e.Value.Status.ToString(),
                            detail = e.Value.Description ?? e.Value.Exception?.Message,
                        }
                    ),
                }
            )
            : http.Response.WriteAsJsonAsync(new { status = report.Status.ToString() });
}
