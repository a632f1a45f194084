using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Failures;

/// <summary>
/// Failures: found, grouped by cause, looked at, put away and brought back. <see cref="FailureChanges"/> changes what
/// one says.
/// </summary>
internal static class FailureRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 500;
    private static readonly string[] Columns =
    [
        "id",
        "state",
        "queue",
        "step",
        "type",
        "order",
        "fault",
        "message",
        "group",
        "attempts",
        "first",
        "dead-lettered",
        "build",
        "host",
        "note",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/failures", ListAsync).Needs(OperatorRole.Viewer);
        pages.MapGet("/failures.csv", FileAsync).Needs(OperatorRole.Viewer);
        pages.MapGet("/failures/{id:guid}", OneAsync).Needs(OperatorRole.Viewer);
        pages.MapPost("/failures/archive", ArchiveAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/failures/{id:guid}/restore", RestoreAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/failures/{id:guid}/reveal", FailureChanges.RevealAsync).Needs(OperatorRole.Admin);
        pages.MapPost("/failures/{id:guid}/edit", FailureChanges.EditAsync).Needs(OperatorRole.Admin);
    }

    private static async Task<IResult> ListAsync(
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        StepNames steps,
        Loader loader
    )
    {
        var filter = Filters.Read(name => http.Request.Query[name]);
        Guid? after = Guid.TryParse(http.Request.Query["after"], out var id) ? id : null;
        // By cause until somebody asks for one cause, one order or for all one by one: a hundred failures of one cause are
        // a hundred equal lines.
        var isAsked = http.Request.Query["each"] == "true";
        var each = isAsked || filter is { Group: not null } or { Ids: not null } or { Subject: not null };
        var page = LoadAsync(
            loader,
            "the failures",
            token => search.PageAsync(filter, after, each ? PageSize : 1, token),
            http.RequestAborted
        );
        var groups = LoadAsync(loader, "the groups", token => search.GroupsAsync(filter, token), http.RequestAborted);
        var worth = filter.Group is { } group
            ? loader.LoadAsync(
                "what the group concerns",
                token => orders.WorthAsync(group, filter.State ?? FailureState.Failed, token),
                http.RequestAborted
            )
            : null;
        var names = loader.LoadAsync("the steps", steps.ReadAsync, http.RequestAborted);
        var list = await page;
        var numbers = list.Value is { } found
            ? await loader.LoadAsync(
                "the orders' numbers",
                token =>
                    orders.NumbersAsync(
                        [.. found.Failures.Where(f => f.SubjectId is not null).Select(f => f.SubjectId!.Value)],
                        token
                    ),
                http.RequestAborted
            )
            : null;
        return Page.Of<FailuresPage>(
            new
            {
                Filter = filter,
                Each = each,
                IsAsked = isAsked,
                List = list,
                Numbers = numbers?.Value,
                Groups = await groups,
                Worth = worth is null ? null : await worth,
                Steps = (await names).Value ?? [],
            }
        );
    }

    private static async Task<IResult> FileAsync(HttpContext http, FailureSearch search)
    {
        try
        {
            var page = await search.PageAsync(
                Filters.Read(name => http.Request.Query[name]),
                null,
                FileSize,
                http.RequestAborted
            );
            return Csv.File(
                "failures",
                Columns,
                page.Failures.Select(f =>
                    (IReadOnlyList<object?>)
                        [
                            f.Id,
                            f.State,
                            f.Queue,
                            f.Step,
                            f.MessageType,
                            f.SubjectId,
                            f.FaultType,
                            f.FaultMessage,
                            f.Fingerprint,
                            f.Attempts,
                            f.FirstAt,
                            f.LastAt,
                            f.Build,
                            f.Host,
                            f.Note,
                        ]
                )
            );
        }
        catch (InvalidFilterException invalid)
        {
            return Page.Of<Message>(
                new { Title = "The filter cannot be used", Detail = invalid.Message },
                StatusCodes.Status400BadRequest
            );
        }
    }

    private static Task<IResult> OneAsync(
        Guid id,
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        Loader loader
    ) => FailureChanges.ShowAsync(id, http, search, orders, loader);

    private static async Task<IResult> ArchiveAsync(HttpContext http, FailureArchive archive)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var filter = Filters.Read(name => form[name]);
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back(Filters.Address("/failures", filter), Form.SayWhy);
        try
        {
            var count = await archive.ArchiveAsync(
                filter,
                Actor.Of(http).Did("archive", reason: reason),
                http.RequestAborted
            );
            return Form.Back(
                "/failures",
                $"Archived {Texts.Many(count, "message")}; they can be restored for a while."
            );
        }
        catch (InvalidFilterException invalid)
        {
            return Form.Back("/failures", $"Nothing was archived: {invalid.Message}");
        }
    }

    private static async Task<IResult> RestoreAsync(Guid id, HttpContext http, FailureArchive archive)
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/failures/{id}", Form.SayWhy);
        var count = await archive.RestoreAsync(
            [id],
            Actor.Of(http).Did("restore", $"failure {id}", reason),
            http.RequestAborted
        );
        return Form.Back(
            $"/failures/{id}",
            count == 1
                ? "Restored; it waits for an operator again."
                : "Nothing was changed: it cannot be restored any more, or was restored before."
        );
    }

    // A filter that cannot be used is the operator's to fix: the region says what is wrong with it.
    private static async Task<Loaded<T>> LoadAsync<T>(
        Loader loader,
        string what,
        Func<CancellationToken, Task<T>> read,
        CancellationToken cancellationToken
    )
        where T : class
    {
        try
        {
            return await loader.LoadAsync(what, read, cancellationToken);
        }
        catch (InvalidFilterException invalid)
        {
            return new Loaded<T>(null, $"The filter cannot be used: {invalid.Message}", null);
        }
    }
}
