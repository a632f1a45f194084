using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orders.Samples.Tests;

/// <summary>The service that the sample hands parcels over to: takes each call once by its key.</summary>
internal sealed class DemoCarrier : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _parcels = new();
    private readonly WebApplication _app;

    private DemoCarrier(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public string Address => $"{_app.Urls.Single()}/";

    /// <summary>The tracking numbers of what was handed over, one for each key.</summary>
    public IReadOnlyCollection<string> Parcels => [.. _parcels.Values];

    /// <summary>What it answers in place of taking a parcel; null when it takes parcels.</summary>
    public int? Refusal { get; set; }

    /// <summary>Starts one.</summary>
    public static async Task<DemoCarrier> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var carrier = new DemoCarrier(builder.Build());
        carrier._app.MapPost(
            "/parcels/{number}",
            (string number, HttpRequest request) =>
            {
                if (carrier.Refusal is { } status)
                    return Results.StatusCode(status);
                carrier._parcels.TryAdd($"{request.Headers["Idempotency-Key"]}", number);
                return Results.Ok();
            }
        );
        await carrier._app.StartAsync();
        return carrier;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
