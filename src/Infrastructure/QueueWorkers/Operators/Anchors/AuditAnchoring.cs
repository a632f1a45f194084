using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace QueueWorkers.Operators.Anchors;

/// <summary>Registers what carries the head of the audit record out of the database, and what verifies it.</summary>
public static class AuditAnchoring
{
    /// <summary>Adds it; <see cref="AuditLog"/> must be there.</summary>
    public static IServiceCollection AddAuditAnchors(this IServiceCollection services, IConfiguration configuration) =>
        services
            .AddSingleton(AuditOptions.Read(configuration))
            .AddSingleton<AuditVerifier>()
            .AddSingleton<AuditExport>()
            .AddSingleton<AuditMetrics>()
            .AddHostedService<AuditHeadWatch>();
}
