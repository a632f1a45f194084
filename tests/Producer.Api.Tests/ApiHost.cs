using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Orders.Producer.Api.Tests;

/// <summary>The API as it is shipped, on a real port, without a relay: its orders wait in the outbox.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app) => _app = app;

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

    public static Task<ApiHost> StartAsync(
        string connectionString,
        params IEnumerable<(string Name, string Value)> settings
    ) => StartAsync(connectionString, _ => { }, settings);

    /// <summary>The same with more routes.</summary>
    public static async Task<ApiHost> StartAsync(
        string connectionString,
        Action<WebApplication> plant,
        params IEnumerable<(string Name, string Value)> settings
    )
    {
        IEnumerable<(string Name, string Value)> usual =
        [
            ("urls", "http://127.0.0.1:0"),
            ("environment", "Development"),
            ("Logging:LogLevel:Default", "Error"),
            ("ConnectionStrings:Postgres", connectionString),
            ("Outbox:Relay", "false"),
            ("RabbitMq:Host", "localhost"),
            ("RabbitMq:Username", "nobody"),
            ("RabbitMq:Password", "nothing"),
        ];
        // The last one wins.
        var host = new ApiHost(ApiApplication.Build([.. usual.Concat(settings).Select(s => $"--{s.Name}={s.Value}")]));
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
