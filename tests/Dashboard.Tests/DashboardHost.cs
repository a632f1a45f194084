using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orders.Testing.Servers;

namespace Orders.Dashboard.Tests;

/// <summary>The dashboard as it is shipped, on a real port.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DashboardHost(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public IServiceProvider Services => _app.Services;

    /// <summary>What the health checks say, as <c>/health/ready</c> shows it on the port of the metrics.</summary>
    public async Task<string> HealthAsync()
    {
        var report = await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        return string.Join(
            '\n',
            report.Entries.Select(e => $"{e.Key} {e.Value.Status}: {e.Value.Description ?? e.Value.Exception?.Message}")
        );
    }

    public static Task<DashboardHost> StartAsync(
        OrdersSystem system,
        params IEnumerable<(string Name, string? Value)> settings
    ) => StartAsync(system, _ => { }, settings);

    /// <summary>The same with more routes.</summary>
    public static async Task<DashboardHost> StartAsync(
        OrdersSystem system,
        Action<WebApplication> plant,
        params IEnumerable<(string Name, string? Value)> settings
    )
    {
        IEnumerable<(string Name, string? Value)> usual =
        [
            // One that is started again gets its port again: not one that the kernel may give away meanwhile.
            ("urls", $"http://127.0.0.1:{FreePort.Take()}"),
            ("environment", "Development"),
            ("Logging:LogLevel:Default", "Warning"),
            ("Topology:Check", "false"),
        ];
        // The last one wins.
        var all = system.Settings(usual.Concat(settings));
        var host = new DashboardHost(DashboardApplication.Build([.. all.Select(s => $"--{s.Key}={s.Value}")]));
        plant(host._app);
        await host._app.StartAsync();
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
