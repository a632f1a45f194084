using Npgsql;
using Orders.Infrastructure.Orders.Reading;
using Orders.Producer.Api.Catalogue;
using Orders.Producer.Api.Json;

namespace Orders.Producer.Api.Health;

/// <summary>Whether the process lives, and whether it can take orders. The broker has no say: orders are taken without it and wait in the outbox.</summary>
internal static class HealthRoutes
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    /// <summary>Maps the two addresses. They are open to everybody and tell nothing about orders.</summary>
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/health/live", context => AnswerAsync(context, new Readiness("live", null, null))).ExcludeFromDescription();
        app.MapGet("/health/ready", async context => await AnswerAsync(context, await LookAsync(context))).ExcludeFromDescription();
    }

    private static async Task<Readiness> LookAsync(HttpContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(LongestWait);
        try
        {
            var assortment = await context.RequestServices.GetRequiredService<CatalogueReader>().ReadAssortmentAsync(patience.Token);
            if (assortment.RequiredSteps == 0)
                return new Readiness("unready", "deployed, but without steps: run the deployment (Workers deploy)", null);
            var prices = context.RequestServices.GetRequiredService<CurrentPrices>().List;
            return prices is null ? new Readiness("unready", "reachable, the catalogue is being read", null) : new Readiness("ready", "reachable", prices.Count);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return new Readiness("unready", "reachable, but the schema is not deployed: run the deployment (Workers deploy)", null);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            return new Readiness("unready", "not reachable", null);
        }
    }

    private static Task AnswerAsync(HttpContext context, Readiness readiness)
    {
        context.Response.Headers.CacheControl = "no-store";
        return JsonAnswer.WriteAsync(context, readiness.Status == "unready" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK, readiness, ApiJson.Default.Readiness);
    }
}

/// <summary>What a health check sees.</summary>
/// <param name="Status">live, ready or unready.</param>
/// <param name="Database">How the database is.</param>
/// <param name="Articles">Articles in the catalogue.</param>
public sealed record Readiness(string Status, string? Database, int? Articles);
