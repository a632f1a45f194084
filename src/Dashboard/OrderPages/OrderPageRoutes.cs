using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure;
using Orders.Infrastructure.Bulk;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Reading;
using QueueWorkers.Clocks;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.OrderPages;

/// <summary>Orders: the list, one order's case file, and the search in the top bar.</summary>
internal static class OrderPageRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 5000;
    private static readonly string[] Columns =
    [
        "order",
        "id",
        "client",
        "status",
        "total",
        "currency",
        "premium",
        "accepted",
        "completed",
        "open steps",
        "failed steps",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/orders", ListAsync).Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/orders.csv",
                async (
                    [AsParameters] OrderFilter filter,
                    OrderSearchReader orders,
                    CancellationToken cancellationToken
                ) =>
                    Csv.File(
                        "orders",
                        Columns,
                        (await orders.ReadAsync(filter.Search, FileSize, cancellationToken)).Orders.Select(o =>
                            (IReadOnlyList<object?>)
                                [
                                    OrderNumber.Format(o.Number),
                                    o.Id,
                                    o.ClientId,
                                    o.Status,
                                    o.Total,
                                    o.Currency,
                                    o.Premium ? "yes" : "no",
                                    o.CreatedAt,
                                    o.CompletedAt,
                                    string.Join(' ', o.Open),
                                    string.Join(' ', o.Failed),
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/orders/{id:guid}",
                async (Guid id, HttpContext http, CaseFileReader files, Loader loader) =>
                    await CaseAsync(id, revealed: false, http, files, loader)
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/orders/{id:guid}/progress",
                async (Guid id, CaseFileReader files, CancellationToken cancellationToken) =>
                    await files.ReadAsync(id, cancellationToken) is { Order: not null } file
                        ? Page.Of<OrderProgressView>(new { File = file })
                        : Results.NotFound()
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/orders/{id:guid}/reveal", RevealAsync).Needs(OperatorRole.Admin);
        OrderActions.Map(pages);
        pages.MapGet("/find", FindAsync).Needs(OperatorRole.Viewer);
    }

    private static async Task<IResult> ListAsync(
        [AsParameters] OrderFilter filter,
        HttpContext http,
        OrderSearchReader orders,
        BulkCountReader counts,
        StepNames steps,
        Loader loader
    )
    {
        // The box of this page finds one order; without a match the list says so.
        if (filter.Text is { } text)
        {
            var found = await loader.LoadAsync(
                "the order",
                async token => new Found(await orders.FindAsync(text, token)),
                http.RequestAborted
            );
            return found.Value?.Id is { } id
                ? Results.Redirect($"/orders/{id}")
                : Page.Of<OrdersPage>(
                    new
                    {
                        Filter = filter,
                        Page = found.Fault is null
                            ? new Loaded<OrderSearchPage>(new OrderSearchPage([], null, null), null, null)
                            : new Loaded<OrderSearchPage>(null, found.Fault, found.TraceId),
                        Steps = (IReadOnlyList<string>)[],
                    }
                );
        }

        var page = loader.LoadAsync(
            "the orders",
            token => orders.ReadAsync(filter.Search, PageSize, token),
            http.RequestAborted
        );
        var names = loader.LoadAsync("the steps", steps.ReadAsync, http.RequestAborted);
        var choice = filter.Choice;
        var bulk = choice.IsEmpty
            ? null
            : loader.LoadAsync(
                "how many could be acted on",
                token => counts.ReadAsync(choice, token),
                http.RequestAborted
            );
        return Page.Of<OrdersPage>(
            new
            {
                Filter = filter,
                Bulk = bulk is null ? null : await bulk,
                Page = await page,
                Steps = (await names).Value ?? [],
            }
        );
    }

    private static async Task<IResult> CaseAsync(
        Guid id,
        bool revealed,
        HttpContext http,
        CaseFileReader files,
        Loader loader
    )
    {
        var file = await loader.LoadAsync("the order", token => files.ReadAsync(id, token), http.RequestAborted);
        // Failures and runs of the webhook step lead here by their subject, which is a delivery.
        if (file is { Fault: null, Value: { Order: null, DeliveryOf: { } order } })
            return Results.Redirect($"/orders/{order}");
        if (file is { Fault: null, Value.Order: null })
            return Page.Of<Message>(
                new { Title = "No such order", Detail = $"There is no order {id}." },
                StatusCodes.Status404NotFound
            );
        return Page.Of<OrderPageView>(
            new
            {
                Id = id,
                File = file,
                Revealed = revealed,
            }
        );
    }

    // Never cached, never in the address: the personal data exist in this one answer only.
    private static async Task<IResult> RevealAsync(
        Guid id,
        HttpContext http,
        AuditLog audit,
        CaseFileReader files,
        Loader loader
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/orders/{id}", "Nothing was revealed: say why, in at most 500 characters.");
        await audit.WriteAsync(Actor.Of(http).Did("reveal personal data", $"order {id}", reason), http.RequestAborted);
        return await CaseAsync(id, revealed: true, http, files, loader);
    }

    private static async Task<IResult> FindAsync(string? q, OrderSearchReader orders, HttpContext http) =>
        await orders.FindAsync(q ?? "", http.RequestAborted) is { } id
            ? Results.Redirect($"/orders/{id}")
            : Results.Redirect(Page.Address("/orders", ("q", q)));

    private sealed record Found(Guid? Id);
}

/// <summary>The filter of the list, as it stands in the address.</summary>
public sealed class OrderFilter
{
    /// <summary>Only orders in this status.</summary>
    public OrderStatus? Status { get; init; }

    /// <summary>Only orders that still need this step.</summary>
    public string? Step { get; init; }

    /// <summary>Only orders accepted longer ago than this, see <see cref="OlderThan"/>.</summary>
    public string? Age { get; init; }

    /// <summary>What was typed: a number or an id.</summary>
    public string? Q { get; init; }

    /// <summary>Where the page begins.</summary>
    public Guid? Before { get; init; }

    /// <summary>The same without spaces around it; null when nothing was typed.</summary>
    public string? Text => string.IsNullOrWhiteSpace(Q) ? null : Q.Trim();

    /// <summary>Whether nothing is filtered.</summary>
    public bool IsEmpty => Status is null && string.IsNullOrEmpty(Step) && OlderThan is null && Text is null;

    /// <summary>The age as a time.</summary>
    public TimeSpan? OlderThan =>
        Age switch
        {
            "1m" => TimeSpan.FromMinutes(1),
            "10m" => TimeSpan.FromMinutes(10),
            "1h" => TimeSpan.FromHours(1),
            "1d" => TimeSpan.FromDays(1),
            "7d" => TimeSpan.FromDays(7),
            _ => null,
        };

    /// <summary>The filter as the reader takes it.</summary>
    public OrderSearch Search => new(Status, string.IsNullOrEmpty(Step) ? null : Step, OlderThan, Before);

    /// <summary>The orders that a bulk action of this filter is about: the age becomes a moment.</summary>
    public OrderChoice Choice =>
        new(
            To: OlderThan is { } age ? DatabaseClock.UtcNow - age : null,
            Status: Status,
            Step: string.IsNullOrEmpty(Step) ? null : Step
        );

    /// <summary>The address of a page with this filter.</summary>
    public string Address(string path, Guid? before = null) =>
        Page.Address(path, ("status", Status), ("step", Step), ("age", Age), ("q", Text), ("before", before));
}
