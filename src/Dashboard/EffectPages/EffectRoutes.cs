using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace Orders.Dashboard.EffectPages;

/// <summary>
/// Effects of which nobody knows whether they happened: all of them, the oldest first, each to be settled.
/// </summary>
internal static class EffectRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 5000;
    private static readonly string[] Columns =
    [
        "effect",
        "order",
        "step",
        "message",
        "look for",
        "uncertain since",
        "failure",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/effects",
                async (
                    string? after,
                    UncertainEffects effects,
                    OrderFailures orders,
                    Loader loader,
                    HttpContext http
                ) =>
                    Page.Of<EffectsPage>(
                        new
                        {
                            List = await loader.LoadAsync(
                                "the effects",
                                token => ReadAsync(after, effects, orders, token),
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/effects.csv",
                async (UncertainEffects effects, CancellationToken cancellationToken) =>
                    Csv.File(
                        "effects",
                        Columns,
                        (await effects.ListAsync(null, FileSize, cancellationToken)).Select(e =>
                            (IReadOnlyList<object?>)
                                [e.Effect, e.SubjectId, e.Step, e.MessageId, e.Reference, e.At, e.FailureId]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapPost(
                "/effects/{order:guid}/{effect}/settle",
                (Guid order, string effect, HttpContext http, UncertainEffects effects, FailureSearch search) =>
                    EffectResolution.SettleAsync(order, effect, "/effects", http, effects, search)
            )
            .Needs(OperatorRole.Operator);
    }

    private static async Task<EffectList> ReadAsync(
        string? after,
        UncertainEffects effects,
        OrderFailures orders,
        CancellationToken cancellationToken
    )
    {
        var found = await effects.ListAsync(Cursor(after), PageSize + 1, cancellationToken);
        UncertainEffect[] shown = [.. found.Take(PageSize)];
        return new EffectList(
            shown,
            await orders.NumbersAsync([.. shown.Select(e => e.SubjectId).Distinct()], cancellationToken),
            found.Count > PageSize ? After(shown[^1]) : null
        );
    }

    private static string After(UncertainEffect last) =>
        string.Create(CultureInfo.InvariantCulture, $"{last.At.UtcTicks}.{last.SubjectId:N}");

    private static (DateTimeOffset, Guid)? Cursor(string? after) =>
        after?.Split('.') is [var ticks, var subject]
        && long.TryParse(ticks, CultureInfo.InvariantCulture, out var at)
        && at >= 0
        && at <= DateTimeOffset.MaxValue.UtcTicks
        && Guid.TryParse(subject, out var id)
            ? (new DateTimeOffset(at, TimeSpan.Zero), id)
            : null;
}

/// <summary>A page of uncertain effects.</summary>
/// <param name="Effects">The effects.</param>
/// <param name="Numbers">The numbers of their orders.</param>
/// <param name="Next">Where the next page begins; null when this is the last.</param>
public sealed record EffectList(
    IReadOnlyList<UncertainEffect> Effects,
    IReadOnlyDictionary<Guid, string> Numbers,
    string? Next
);
