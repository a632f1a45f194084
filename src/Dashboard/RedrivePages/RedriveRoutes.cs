using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Planning;

namespace Orders.Dashboard.RedrivePages;

/// <summary>
/// Redrives: dry run, then a button with the number, canary, ramp, progress, stop. All of it through the classes that
/// the operator API uses.
/// </summary>
internal static class RedriveRoutes
{
    // A dry run reads every message that it would send; a hundred thousand take their time, and an operator who asked
    // for that will wait.
    private static readonly TimeSpan PlanLimit = TimeSpan.FromSeconds(20);

    private const string Address = "/redrives";
    private const string What = "redrive";

    private static readonly CsvTable<RedriveProgress> File = new(
        "redrives",
        ("id", r => r.Redrive.Id),
        ("stage", r => r.Redrive.Stage),
        ("by", r => r.Redrive.CreatedBy),
        ("reason", r => r.Redrive.Reason),
        ("asked for", r => r.Redrive.CreatedAt),
        ("messages", r => r.Redrive.Total),
        ("waiting", r => r.Waiting),
        ("sent", r => r.Sent),
        ("done", r => r.Done),
        ("failed again", r => r.FailedAgain),
        ("skipped", r => r.Skipped),
        ("stopped because", r => r.Redrive.StoppedBecause),
        ("finished", r => r.Redrive.FinishedAt)
    );

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapList<RedrivesPage, RedriveReader, RedriveProgress>(
            Address,
            "the redrives",
            File,
            static (redrives, before, token) => redrives.ListAsync(before, token)
        );
        pages.MapGet("/redrives/new", PlanAsync).Needs(OperatorRole.Viewer);
        pages.MapPost("/redrives", MakeAsync).Needs(OperatorRole.Operator);
        pages
            .MapGet(
                $"{Address}/{{id:guid}}",
                async (Guid id, RedriveReader redrives, Loader loader, HttpContext http) =>
                    CommonRoutes.One<RedrivePage, RedriveFile>(
                        What,
                        id,
                        await loader.LoadAsync(
                            "the redrive",
                            token => RedriveFile.ReadAsync(id, redrives, token),
                            http.RequestAborted
                        ),
                        file => file.Progress is not null
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                $"{Address}/{{id:guid}}/progress",
                async (Guid id, RedriveReader redrives, CancellationToken cancellationToken) =>
                    CommonRoutes.Part<RedriveProgressView, RedriveFile>(
                        await RedriveFile.ReadAsync(id, redrives, cancellationToken),
                        file => file.Progress is not null
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages.MapChange<Redrives>(
            Address,
            What,
            "start",
            static (redrives, id, record, token) => RefusalAsync(redrives.StartAsync(id, record, token))
        );
        pages.MapChange<Redrives>(
            Address,
            What,
            "stop",
            static (redrives, id, record, token) => RefusalAsync(redrives.StopAsync(id, record, token))
        );
        pages.MapChange<Redrives>(
            Address,
            What,
            "cancel",
            static (redrives, id, record, token) => RefusalAsync(redrives.CancelAsync(id, record, token))
        );
    }

    private static async Task<string?> RefusalAsync(Task<RedriveRefusal?> change) => (await change)?.Detail;

    private static async Task<IResult> PlanAsync(
        HttpContext http,
        RedrivePreview preview,
        PatchRight right,
        Loader loader
    )
    {
        var filter = Filters.Read(name => http.Request.Query[name]) with { State = null };
        if (filter.IsEmpty)
            return Refusal(
                "Redrive what?",
                "An empty filter would redrive everything that is dead-lettered. Choose a group or a filter on the page Failures."
            );
        var patch = http.Request.Query["patch"].ToString().Trim();
        try
        {
            var request = new RedriveRequest
            {
                Filter = filter,
                Reason = "dry run",
                Patch = PatchOf(patch),
            };
            if (await right.IsRefusedAsync(Actor.Of(http), request.Patch, http))
                return Page.Of<Message>(
                    new { Title = "This needs an admin", Detail = PatchRight.Refusal },
                    StatusCodes.Status403Forbidden
                );
            // An address carries no reason, and without one nobody looks at what is masked.
            if (right.TestsMasked(request.Patch))
                return Refusal(
                    "The redrive cannot be planned",
                    "The patch tests a masked member. Whether that holds says what the member is: ask POST /api/redrives/preview, which takes a reason and records it."
                );
            var plan = await loader.LoadAsync(
                "the plan",
                token => preview.PlanAsync(request, token),
                http.RequestAborted,
                PlanLimit
            );
            return Page.Of<RedrivePlanPage>(
                new
                {
                    Filter = filter,
                    Patch = patch,
                    Plan = plan,
                }
            );
        }
        catch (Exception invalid) when (invalid is InvalidFilterException or FormatException)
        {
            return Refusal("The redrive cannot be planned", invalid.Message);
        }
    }

    private static async Task<IResult> MakeAsync(HttpContext http, Redrives redrives, PatchRight right, AuditLog audit)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        int Number(string name) => int.TryParse(form[name], CultureInfo.InvariantCulture, out var number) ? number : -1;
        try
        {
            var request = new RedriveRequest
            {
                Filter = Filters.Read(name => form[name]) with { State = null },
                Reason = await Form.ReasonAsync(http) ?? "",
                Canary = Number("canary"),
                RatePerSecond = Number("rate"),
                StopPercent = Number("stop"),
                Expect = Number("expect") is >= 0 and var seen ? seen : null,
                Patch = PatchOf(form["patch"].ToString().Trim()),
                Start = true,
            };
            if (request.Problem() is { } problem)
                return Refusal("Nothing was redriven", $"The {problem} Go back and fix it.");
            if (await right.IsRefusedAsync(Actor.Of(http), request.Patch, http))
                return Page.Of<Message>(
                    new { Title = "Nothing was redriven", Detail = PatchRight.Refusal },
                    StatusCodes.Status403Forbidden
                );
            if (right.TestsMasked(request.Patch))
                await Unmasking.RecordTestAsync(audit, Actor.Of(http), request.Reason, http.RequestAborted);
            var (made, refused) = await redrives.CreateAsync(
                request,
                Actor.Of(http).Did("redrive", reason: request.Reason),
                null,
                http.RequestAborted
            );
            return made is not null ? Results.Redirect($"/redrives/{made.Redrive.Id}")
                : refused!.Other is { } other
                    ? Form.Back(
                        $"/redrives/{other}",
                        $"Nothing new was started: this redrive has messages of the same filter. {refused.Detail}"
                    )
                : Page.Of<Message>(
                    new { Title = "Nothing was redriven", Detail = refused.Detail },
                    StatusCodes.Status409Conflict
                );
        }
        catch (Exception invalid) when (invalid is InvalidFilterException or FormatException)
        {
            return Refusal("Nothing was redriven", invalid.Message);
        }
    }

    /// <exception cref="FormatException">The text is no list.</exception>
    private static JsonArray? PatchOf(string text)
    {
        if (text == "")
            return null;
        try
        {
            return JsonNode.Parse(text) as JsonArray
                ?? throw new FormatException(
                    "A patch is a list of operations, such as [{\"op\":\"replace\",\"path\":\"/premium\",\"value\":true}]."
                );
        }
        catch (JsonException malformed)
        {
            throw new FormatException($"The patch is no JSON: {malformed.Message}", malformed);
        }
    }

    private static PageResult<Message> Refusal(string title, string detail) =>
        Page.Of<Message>(new { Title = title, Detail = detail }, StatusCodes.Status400BadRequest);
}
