using Microsoft.AspNetCore.Components;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// What the pages have in common of whatever operators begin, watch and change: a list with a file, a page of one, and
/// forms that change one for a reason.
/// </summary>
internal static class CommonRoutes
{
    /// <summary>Maps a list, the newest first, and the same as a file. The page takes it as <c>List</c>.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="what">What it is, for a region that cannot be read: "the redrives".</param>
    /// <param name="file">The file.</param>
    /// <param name="read">Reads what comes before the last one of the page before.</param>
    public static void MapList<TPage, TReader, TRow>(
        this RouteGroupBuilder pages,
        string address,
        string what,
        CsvTable<TRow> file,
        Func<TReader, Guid?, CancellationToken, Task<IReadOnlyList<TRow>>> read
    )
        where TPage : IComponent
        where TReader : class
    {
        pages
            .MapGet(
                address,
                async (Guid? before, TReader reader, Loader loader, HttpContext http) =>
                    Page.Of<TPage>(
                        new
                        {
                            List = await loader.LoadAsync(
                                what,
                                token => read(reader, before, token),
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                $"{address}.csv",
                async (TReader reader, CancellationToken cancellationToken) =>
                    file.Of(await read(reader, null, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
    }

    /// <summary>Maps a form that changes one of them, for a reason, and leads back to its page.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="address">Where the list is.</param>
    /// <param name="what">What one is called in the audit record: "redrive".</param>
    /// <param name="change">The verb, in the address and in the record.</param>
    /// <param name="act">Does it; returns why it was refused, or null.</param>
    public static void MapChange<TActions>(
        this RouteGroupBuilder pages,
        string address,
        string what,
        string change,
        Func<TActions, Guid, AuditEntry, CancellationToken, Task<string?>> act
    )
        where TActions : class =>
        pages
            .MapPost(
                $"{address}/{{id:guid}}/{change}",
                (Guid id, HttpContext http, TActions actions) =>
                    Form.ChangeAsync(
                        http,
                        $"{address}/{id}",
                        reason =>
                            act(
                                actions,
                                id,
                                Actor.Of(http).Did($"{change} {what}", reason: reason),
                                http.RequestAborted
                            )
                    )
            )
            .Needs(OperatorRole.Operator);

    /// <summary>The page of one; 404 when there is none. It takes what was read as <c>File</c>.</summary>
    /// <param name="what">What one is called: "redrive".</param>
    /// <param name="id">Which one.</param>
    /// <param name="file">What was read.</param>
    /// <param name="isThere">Whether there is one.</param>
    public static IResult One<TPage, TFile>(string what, Guid id, Loaded<TFile> file, Func<TFile, bool> isThere)
        where TPage : IComponent
        where TFile : class =>
        file is { Value: { } value, Fault: null } && !isThere(value)
            ? Page.Of<Message>(
                new { Title = $"No such {what}", Detail = $"There is no {what} {id}." },
                StatusCodes.Status404NotFound
            )
            : Page.Of<TPage>(new { File = file });

    /// <summary>The part of that page that changes; 404 when there is none.</summary>
    public static IResult Part<TPart, TFile>(TFile file, Func<TFile, bool> isThere)
        where TPart : IComponent
        where TFile : class => isThere(file) ? Page.Of<TPart>(new { File = file }) : Results.NotFound();
}
