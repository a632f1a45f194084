using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Outbox;

/// <summary>The outbox as a queue: what is late, what is to leave later, what was given up.</summary>
internal static class OutboxRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 10_000;
    private static readonly string[] Columns =
    [
        "message",
        "exchange",
        "order",
        "due",
        "tries",
        "last error",
        "quarantined",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/outbox",
                async (OutboxPart? part, string? after, OutboxReader outbox, Loader loader, HttpContext http) =>
                {
                    var chosen = part ?? OutboxPart.Late;
                    var entries = loader.LoadAsync(
                        "the messages",
                        token => outbox.ListAsync(chosen, Cursor(after), PageSize + 1, token),
                        http.RequestAborted
                    );
                    return Page.Of<OutboxPage>(
                        new
                        {
                            Part = chosen,
                            Entries = await entries,
                            PageSize,
                        }
                    );
                }
            )
            .Needs(OperatorRole.Viewer);

        pages
            .MapGet(
                "/outbox.csv",
                async (OutboxPart? part, OutboxReader outbox, CancellationToken cancellationToken) =>
                    Csv.File(
                        "outbox",
                        Columns,
                        (await outbox.ListAsync(part ?? OutboxPart.Late, null, FileSize, cancellationToken)).Select(e =>
                            (IReadOnlyList<object?>)
                                [e.MessageId, e.Exchange, e.SubjectId, e.DueAt, e.Attempts, e.LastError, e.DeadAt]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
    }

    /// <summary>Where the page after an entry begins.</summary>
    public static string After(OutboxPart part, OutboxEntry last) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(part == OutboxPart.Quarantine ? last.DeadAt!.Value : last.DueAt).UtcTicks}.{last.Id:N}"
        );

    private static (DateTimeOffset, Guid)? Cursor(string? after) =>
        after?.Split('.') is [var ticks, var id]
        && long.TryParse(ticks, CultureInfo.InvariantCulture, out var at)
        && at is >= 0 and < 3_155_378_975_999_999_999
        && Guid.TryParse(id, out var row)
            ? (new DateTimeOffset(at, TimeSpan.Zero), row)
            : null;
}
