using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orders.Producer.Api.Catalogue;

namespace Orders.Producer.Api.Health;

/// <summary>
/// Whether the catalogue and the steps are known: before that no order can be priced. The broker has no say; orders are
/// taken without it and wait in the outbox.
/// </summary>
internal sealed class CatalogueHealth(CurrentPrices prices) : IHealthCheck
{
    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            prices.List is { } list
                ? HealthCheckResult.Healthy(FormattableString.Invariant($"{list.Count} articles"))
                : HealthCheckResult.Unhealthy(
                    "The catalogue has not been read yet, or no step is deployed; run `Workers deploy`."
                )
        );
}
