using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Serves <c>/metrics</c>, and <c>/health/ready</c> with details, on a port of its own, <c>Metrics:Port</c>, and
/// nothing else there: what the process measures and what it lacks is for those who run it, and a port can be left unpublished.
/// Without the setting nobody can scrape.
/// The connection's own port decides, not the header <c>Host</c>, which a caller writes.
/// </summary>
/// <param name="port">The port.</param>
public sealed class MetricsPort(int port) : IStartupFilter
{
    private const string Path = "/metrics";

    /// <summary>Whether a request came to this port.</summary>
    public static bool Received(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<OwnPort>() is not null;
    }

    /// <summary>Adds the port to those that the host listens on.</summary>
    /// <exception cref="InvalidConfigurationException">The setting is no port, or one that the host has already.</exception>
    public static void AddTo(WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Configuration["Metrics:Port"] is not { Length: > 0 } text)
            return;
        var others = UrlsOf(builder.Configuration);
        var isPort = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port);
        new ConfigurationProblems()
            .Require(
                isPort && port is >= 1 and <= 65535,
                $"Metrics:Port must be a port, 1–65535, got '{text}'; set Metrics__Port"
            )
            .Require(
                !others.Any(url => BindingAddress.Parse(url).Port == port),
                $"Metrics:Port must be another port than those that the host serves, got {port}; set Metrics__Port"
            )
            .ThrowIfAny();
        // Where the host itself listens: a worker that is on loopback only stays there.
        builder.WebHost.UseUrls([.. others, $"http://{BindingAddress.Parse(others[0]).Host}:{port}"]);
        // Kestrel would say at each start that the addresses are used in its place.
        builder.WebHost.UseSetting(WebHostDefaults.HttpPortsKey, "").UseSetting(WebHostDefaults.HttpsPortsKey, "");
        builder.Services.AddSingleton<IStartupFilter>(new MetricsPort(port));
    }

    /// <inheritdoc />
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.UseOpenTelemetryPrometheusScrapingEndpoint(context => IsHere(context) && context.Request.Path == Path);
            app.Use(
                (context, following) =>
                {
                    if (!IsHere(context))
                        return following(context);
                    if (context.Request.Path == WorkerHost.ReadyPath)
                    {
                        context.Features.Set(new OwnPort());
                        return following(context);
                    }

                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    return Task.CompletedTask;
                }
            );
            next(app);
        };

    private bool IsHere(HttpContext context) => context.Connection.LocalPort == port;

    private static string[] UrlsOf(ConfigurationManager configuration)
    {
        static IEnumerable<string> Parts(string? text) =>
            (text ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] urls = [.. Parts(configuration[WebHostDefaults.ServerUrlsKey])];
        if (urls.Length > 0)
            return urls;
        string[] ports =
        [
            .. Parts(configuration[WebHostDefaults.HttpPortsKey]).Select(p => $"http://*:{p}"),
            .. Parts(configuration[WebHostDefaults.HttpsPortsKey]).Select(p => $"https://*:{p}"),
        ];
        return ports.Length > 0 ? ports : ["http://localhost:5000"];
    }

    private sealed record OwnPort;
}
