using Microsoft.AspNetCore.Builder;

namespace Orders.Dashboard.Tests;

/// <summary>The dashboard as it is shipped, on a real port.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private DashboardHost(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public IServiceProvider Services => _app.Services;

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
            ("urls", "http://127.0.0.1:0"),
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
