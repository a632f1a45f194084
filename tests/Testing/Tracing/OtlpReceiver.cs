using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orders.Testing.Tracing;

/// <summary>
/// A server that takes OTLP over HTTP, as a collector does: processes are told its address and export to it. It keeps
/// the spans; metrics and logs are taken and forgotten.
/// </summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<SeenSpan> _spans = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    /// <summary>The spans so far.</summary>
    public IReadOnlyList<SeenSpan> Spans => [.. _spans];

    /// <summary>Requests that were none of OTLP, and why.</summary>
    public IReadOnlyList<string> Refused => [.. _refused];

    /// <summary>The settings with which a process exports everything to it, soon.</summary>
    public IEnumerable<(string Name, string? Value)> Settings =>
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", _app.Urls.Single()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ];

    /// <summary>Starts one on a free port.</summary>
    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.MapPost("/v1/traces", receiver.TakeAsync);
        receiver._app.MapPost("/v1/metrics", () => Results.Bytes([], "application/x-protobuf"));
        receiver._app.MapPost("/v1/logs", () => Results.Bytes([], "application/x-protobuf"));
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task<IResult> TakeAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        if (request.ContentType != "application/x-protobuf")
        {
            _refused.Enqueue($"content type {request.ContentType}");
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        }

        try
        {
            foreach (var span in OtlpSpans.Read(body.ToArray()))
                _spans.Enqueue(span);
        }
        catch (InvalidDataException unreadable)
        {
            _refused.Enqueue(unreadable.Message);
            return Results.StatusCode(StatusCodes.Status400BadRequest);
        }

        // An empty ExportTraceServiceResponse: everything was taken.
        return Results.Bytes([], "application/x-protobuf");
    }
}
