using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;

namespace Orders.Producer.Api.Tests;

/// <summary>The API as it is shipped, on a real port, without a relay: its orders wait in the outbox.</summary>
internal sealed class ApiHost : WebApplicationFactory<Program>
{
    private readonly Dictionary<string, string> _settings;

    public ApiHost(string connectionString, IEnumerable<(string Name, string Value)> settings)
    {
        _settings = new Dictionary<string, string>
        {
            ["ConnectionStrings:Postgres"] = connectionString,
            ["Outbox:Relay"] = "false",
            ["RabbitMq:Host"] = "localhost",
            ["RabbitMq:Username"] = "nobody",
            ["RabbitMq:Password"] = "nothing",
        };
        foreach (var (name, value) in settings)
            _settings[name] = value;
        UseKestrel(0);
        StartServer();
    }

    public Uri Address => ClientOptions.BaseAddress;

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        foreach (var (name, value) in _settings)
            builder.UseSetting(name, value);
        builder.ConfigureLogging(log => log.SetMinimumLevel(LogLevel.Error));
    }
}
