using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using Orders.Dashboard.Layout;
using Orders.Dashboard.OrderPages;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure;
using Orders.Infrastructure.Failures;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace Orders.Dashboard.BulkPages;

/// <summary>
/// Bulk actions: a button with a number leads to the rehearsal, a button with the exact number confirms it, and the same
/// page then shows the progress. All of it through the classes that the operator API uses.
/// </summary>
internal static class BulkRoutes
{
    /// <summary>Rows of a page of the list.</summary>
    public const int PageSize = 100;

    private static readonly string[] Columns =
    [
        "id",
        "what",
        "state",
        "by",
        "reason",
        "rehearsed",
        "targets",
        "done",
        "left",
        "skipped",
        "refused",
        "note",
        "ended",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/bulk-actions",
                async (Guid? before, BulkReader reader, Loader loader, HttpContext http) =>
                    Page.Of<BulkActionsPage>(
                        new
                        {
                            List = await loader.LoadAsync(
                                "the bulk actions",
                                token => reader.ListAsync(before, PageSize, token),
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/bulk-actions.csv",
                async (BulkReader reader, CancellationToken cancellationToken) =>
                    Csv.File(
                        "bulk-actions",
                        Columns,
                        (await reader.ListAsync(null, PageSize, cancellationToken)).Select(a =>
                            (IReadOnlyList<object?>)
                                [
                                    a.Id,
                                    BulkWords.Act(a),
                                    a.State,
                                    a.ConfirmedBy ?? a.CreatedBy,
                                    a.Reason,
                                    a.CreatedAt,
                                    a.Total,
                                    a.Done,
                                    a.Left,
                                    a.Skipped,
                                    a.Refused,
                                    a.Note,
                                    a.FinishedAt,
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/bulk-actions", RehearseAsync).Needs(OperatorRole.Operator);
        pages.MapGet("/bulk-actions/{id:guid}", OneAsync).Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/bulk-actions/{id:guid}/progress",
                async (Guid id, BulkReader reader, OrderFailures orders, CancellationToken cancellationToken) =>
                    await BulkFile.ReadAsync(id, reader, orders, cancellationToken) is { Action: not null } file
                        ? Page.Of<BulkProgressView>(new { File = file })
                        : (IResult)Results.NotFound()
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/bulk-actions/{id:guid}/confirm", ConfirmAsync).Needs(OperatorRole.Operator);
        MapChange(pages, "pause", static (actions, id, record, token) => actions.PauseAsync(id, record, token));
        MapChange(pages, "resume", static (actions, id, record, token) => actions.ResumeAsync(id, record, token));
        MapChange(pages, "end", static (actions, id, record, token) => actions.EndAsync(id, record, token));
    }

    private static async Task<IResult> OneAsync(
        Guid id,
        BulkReader reader,
        OrderFailures orders,
        Loader loader,
        HttpContext http
    )
    {
        var file = await loader.LoadAsync(
            "the bulk action",
            token => BulkFile.ReadAsync(id, reader, orders, token),
            http.RequestAborted
        );
        return file is { Value.Action: null, Fault: null }
            ? Page.Of<Message>(
                new { Title = "No such bulk action", Detail = $"There is no bulk action {id}." },
                StatusCodes.Status404NotFound
            )
            : Page.Of<BulkPage>(new { File = file });
    }

    private static async Task<IResult> RehearseAsync(HttpContext http, BulkActions actions)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        try
        {
            var kind = form["kind"].ToString();
            var filter =
                kind == ArchiveFailures.KindName
                    ? ArchiveFailures.FilterOf(Filters.Read(name => form[name]))
                    : new OrderFilter
                    {
                        Status = Enum.TryParse<OrderStatus>(form["status"], out var status) ? status : null,
                        Step = form["step"],
                        Age = form["age"],
                    }.Choice.ToJson();
            var (action, _) = await actions.RehearseAsync(
                new BulkRequest(kind, form["replay"].ToString() is { Length: > 0 } step ? step : null, filter),
                Actor.Of(http).Name,
                http.RequestAborted
            );
            return Results.Redirect($"/bulk-actions/{action.Id}");
        }
        catch (Exception refused) when (refused is BulkRefusedException or InvalidFilterException)
        {
            return Page.Of<Message>(
                new { Title = "Nothing was rehearsed", Detail = refused.Message },
                StatusCodes.Status400BadRequest
            );
        }
    }

    private static async Task<IResult> ConfirmAsync(Guid id, HttpContext http, BulkActions actions, BulkReader reader)
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/bulk-actions/{id}", Form.SayWhy);
        if (await reader.FindAsync(id, http.RequestAborted) is not { } action)
            return Form.Back("/bulk-actions", "Nothing was changed: there is no such bulk action.");
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        return await TryAsync(
            id,
            () =>
                actions.ConfirmAsync(
                    id,
                    int.TryParse(form["expect"], CultureInfo.InvariantCulture, out var seen) ? seen : -1,
                    Actor.Of(http).Did(BulkApi.Verb(action.Kind), reason: reason),
                    http.RequestAborted
                )
        );
    }

    private static void MapChange(
        RouteGroupBuilder pages,
        string change,
        Func<BulkActions, Guid, AuditEntry, CancellationToken, Task> act
    ) =>
        pages
            .MapPost(
                $"/bulk-actions/{{id:guid}}/{change}",
                async (Guid id, HttpContext http, BulkActions actions) =>
                    await Form.ReasonAsync(http) is not { } reason
                        ? Form.Back($"/bulk-actions/{id}", Form.SayWhy)
                        : await TryAsync(
                            id,
                            () =>
                                act(
                                    actions,
                                    id,
                                    Actor.Of(http).Did($"{change} bulk action", reason: reason),
                                    http.RequestAborted
                                )
                        )
            )
            .Needs(OperatorRole.Operator);

    private static async Task<IResult> TryAsync(Guid id, Func<Task> act)
    {
        try
        {
            await act();
            return Results.Redirect($"/bulk-actions/{id}");
        }
        catch (BulkRefusedException refused)
        {
            return Form.Back($"/bulk-actions/{id}", $"Nothing was changed. {refused.Message}");
        }
    }
}
