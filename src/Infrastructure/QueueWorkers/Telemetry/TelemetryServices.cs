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
            .WithTracing(tracing =>
                tracing
                    .AddSource(QueueWorkersTelemetry.Name, "MassTransit")
                    .AddAspNetCoreInstrumentation()
                    .AddHttpClientInstrumentation()
                    .AddNpgsql()
            )
            .WithLogging()
            .UseOtlpExporter();
        return services;
    }
}
