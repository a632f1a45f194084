using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace QueueWorkers.Telemetry;

/// <summary>Traces, metrics and logs of a host, by one call.</summary>
public static class TelemetryServices
{
    /// <summary>
    /// Adds OpenTelemetry. Metrics can always be scraped. Traces, and pushing anything, cost nothing until
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set; the other standard variables (<c>OTEL_SERVICE_NAME</c>,
    /// <c>OTEL_TRACES_SAMPLER</c> …) hold as usual.
    /// </summary>
    public static IServiceCollection AddQueueWorkersTelemetry(
        this IServiceCollection services,
        IConfiguration configuration,
        string service
    )
    {
        var export = !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = services
            .AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService(
                    service,
                    serviceVersion: typeof(TelemetryServices).Assembly.GetName().Version?.ToString(3)
                )
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(QueueWorkersTelemetry.Name, "MassTransit", "Npgsql")
                    .AddAspNetCoreInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddPrometheusExporter()
            );
        services.AddHostedService<ZeroedMetrics>();
        if (!export)
            return services;

        telemetry
            .WithTracing(tracing => tracing.AddQueueWorkersSpans())
            .WithLogging(
                null,
                logs =>
                {
                    logs.IncludeScopes = true;
                    logs.IncludeFormattedMessage = true;
                }
            )
            .UseOtlpExporter();
        return services;
    }

    /// <summary>
    /// Adds the spans of a host: requests, messages, SQL and calls of other servers. MassTransit's own spans are not
    /// among them: those of the framework follow the semantic conventions and outlive redeliveries.
    /// </summary>
    public static TracerProviderBuilder AddQueueWorkersSpans(this TracerProviderBuilder tracing) =>
        tracing
            .AddSource(QueueWorkersTelemetry.Name)
            .AddAspNetCoreInstrumentation(http =>
                http.Filter = request =>
                    !request.Request.Path.StartsWithSegments("/health")
                    && !request.Request.Path.StartsWithSegments("/metrics")
            )
            .AddHttpClientInstrumentation(http =>
            {
                // Looks of loops (the broker's management API) belong to no trace.
                http.FilterHttpRequestMessage = static _ =>
                    Activity.Current is { } span && span.ParentSpanId != default;
                // The path of a client's web hook may hold a secret of the client's.
                http.EnrichWithHttpRequestMessage = static (span, request) =>
                    span.SetTag("url.full", request.RequestUri?.GetLeftPart(UriPartial.Authority));
            })
            .AddNpgsql();
}
