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

    private const string Address = "/bulk-actions";
    private const string What = "bulk action";

    private static readonly CsvTable<BulkAction> File = new(
        "bulk-actions",
        ("id", a => a.Id),
        ("what", a => BulkWords.Act(a)),
        ("state", a => a.State),
        ("by", a => a.ConfirmedBy ?? a.CreatedBy),
        ("reason", a => a.Reason),
        ("rehearsed", a => a.CreatedAt),
        ("targets", a => a.Total),
        ("done", a => a.Done),
        ("left", a => a.Left),
        ("skipped", a => a.Skipped),
        ("refused", a => a.Refused),
        ("note", a => a.Note),
        ("ended", a => a.FinishedAt)
    );

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapList<BulkActionsPage, BulkReader, BulkAction>(
            Address,
            "the bulk actions",
            File,
            static (reader, before, token) => reader.ListAsync(before, PageSize, token)
        );
        pages.MapPost(Address, RehearseAsync).Needs(OperatorRole.Operator);
        pages
            .MapGet(
                $"{Address}/{{id:guid}}",
                async (Guid id, BulkReader reader, OrderFailures orders, Loader loader, HttpContext http) =>
                    CommonRoutes.One<BulkPage, BulkFile>(
                        What,
                        id,
                        await loader.LoadAsync(
                            "the bulk action",
                            token => BulkFile.ReadAsync(id, reader, orders, token),
                            http.RequestAborted
                        ),
                        file => file.Action is not null
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                $"{Address}/{{id:guid}}/progress",
                async (Guid id, BulkReader reader, OrderFailures orders, CancellationToken cancellationToken) =>
                    CommonRoutes.Part<BulkProgressView, BulkFile>(
                        await BulkFile.ReadAsync(id, reader, orders, cancellationToken),
                        file => file.Action is not null
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost($"{Address}/{{id:guid}}/confirm", ConfirmAsync).Needs(OperatorRole.Operator);
        pages.MapChange<BulkActions>(
            Address,
            What,
            "pause",
            static (actions, id, record, token) => RefusalAsync(actions.PauseAsync(id, record, token))
        );
        pages.MapChange<BulkActions>(
            Address,
            What,
            "resume",
            static (actions, id, record, token) => RefusalAsync(actions.ResumeAsync(id, record, token))
        );
        pages.MapChange<BulkActions>(
            Address,
            What,
            "end",
            static (actions, id, record, token) => RefusalAsync(actions.EndAsync(id, record, token))
        );
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
            return Results.Redirect($"{Address}/{action.Id}");
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
        if (await reader.FindAsync(id, http.RequestAborted) is not { } action)
            return Form.Back(Address, "Nothing was changed: there is no such bulk action.");
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        return await Form.ChangeAsync(
            http,
            $"{Address}/{id}",
            reason =>
                RefusalAsync(
                    actions.ConfirmAsync(
                        id,
                        int.TryParse(form["expect"], CultureInfo.InvariantCulture, out var seen) ? seen : -1,
                        Actor.Of(http).Did(BulkApi.Verb(action.Kind), reason: reason),
                        http.RequestAborted
                    )
                )
        );
    }

    private static async Task<string?> RefusalAsync(Task change)
    {
        try
        {
            await change;
            return null;
        }
        catch (BulkRefusedException refused)
        {
            return refused.Message;
        }
    }
}
