using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Planning;

namespace Orders.Dashboard.Mcp;

/// <summary>
/// Redrives, in two calls: a rehearsal chooses the messages and is stored, a confirmation starts just that. Nothing is
/// edited here: an assistant that could write payloads could write anything.
/// </summary>
internal sealed class RedriveTools(
    ToolCaller caller,
    RedrivePreview preview,
    Redrives redrives,
    RedriveReader reader,
    PatchRight right
)
{
    /// <summary>Chooses the messages of a redrive and says what would happen.</summary>
    [McpServerTool(
        Name = "rehearse_redrive",
        Title = "Rehearse a redrive",
        ReadOnly = false,
        Destructive = false,
        OpenWorld = false
    )]
    [Description(
        "Chooses the dead-lettered messages that match and says what a redrive would do: how many would be sent, what would be skipped and why, where they would go. Sends nothing, and holds these messages for an hour at most: no other redrive takes them meanwhile. Returns the rehearsal's id for confirm_redrive. Needs an operator's key."
    )]
    public async Task<object> RehearseAsync(
        [Description("Why, for the record.")] string reason,
        [Description("Failures of this group: a fingerprint of list_failure_groups.")] string? group = null,
        [Description("Failures of this step.")] string? step = null,
        [Description("Failures about this order: its number or id.")] string? order = null,
        [Description("These failures, by their ids.")] IReadOnlyList<Guid>? ids = null,
        [Description("How many are sent first, to see whether they pass: 0–1000.")] int canary = 10,
        [Description("How many are sent a second after that: 1–1000.")] int ratePerSecond = 50,
        [Description("It stops when this share of them fails again, in per cent: 1–100.")] int stopPercent = 20,
        CancellationToken cancellationToken = default
    )
    {
        var actor = await caller.OperatorAsync("rehearse_redrive", cancellationToken);
        var request = new RedriveRequest
        {
            Filter = new FailureFilter
            {
                Group = group,
                Step = step,
                Subject = order,
                Ids = ids,
            },
            Reason = ReasonOf(reason),
            Canary = canary,
            RatePerSecond = ratePerSecond,
            StopPercent = stopPercent,
            Start = false,
        };
        if (request.Problem() is { } problem)
            throw new McpException(problem);
        try
        {
            var plan = await preview.PlanAsync(request, cancellationToken);
            // Refused when others failed meanwhile: what is stored is what is shown.
            var (made, refused) = await redrives.CreateAsync(
                request with
                {
                    Expect = plan.Total,
                },
                actor.Did("rehearse redrive by MCP", reason: reason),
                null,
                cancellationToken
            );
            return made is null
                ? throw Refused(refused!)
                : new
                {
                    id = made.Redrive.Id,
                    plan,
                    next = "Show this to a person. Then confirm_redrive with this id, or cancel_redrive.",
                };
        }
        catch (InvalidFilterException invalid)
        {
            throw new McpException(invalid.Message);
        }
    }

    /// <summary>Starts a redrive that was rehearsed.</summary>
    [McpServerTool(
        Name = "confirm_redrive",
        Title = "Start a rehearsed redrive",
        ReadOnly = false,
        Destructive = true,
        OpenWorld = false
    )]
    [Description(
        "Starts a redrive that was rehearsed with the same key's operator: its messages are sent again. Only after a person has agreed to the rehearsal. Needs an operator's key."
    )]
    public async Task<object> ConfirmAsync(
        [Description("The rehearsal's id.")] Guid id,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    )
    {
        var actor = await caller.OperatorAsync("confirm_redrive", cancellationToken);
        var redrive = await OwnAsync(id, actor, cancellationToken);
        if (redrive.Redrive.Stage != RedriveStage.DryRun)
            throw new McpException(
                $"Redrive {id} is no open rehearsal, it is {redrive.Redrive.Stage}; get_redrive says what has become of it."
            );
        return await ChangeAsync(
            id,
            reason,
            record => redrives.StartAsync(id, record, cancellationToken),
            actor.Did("confirm redrive by MCP", reason: reason),
            cancellationToken
        );
    }

    /// <summary>Stops a redrive.</summary>
    [McpServerTool(
        Name = "cancel_redrive",
        Title = "Cancel a redrive",
        ReadOnly = false,
        Destructive = true,
        OpenWorld = false
    )]
    [Description(
        "Ends a rehearsal or a redrive that was made with the same key's operator: what was not sent stays dead-lettered. Needs an operator's key."
    )]
    public async Task<object> CancelAsync(
        [Description("The redrive's id.")] Guid id,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    )
    {
        var actor = await caller.OperatorAsync("cancel_redrive", cancellationToken);
        await OwnAsync(id, actor, cancellationToken);
        return await ChangeAsync(
            id,
            reason,
            record => redrives.CancelAsync(id, record, cancellationToken),
            actor.Did("cancel redrive by MCP", reason: reason),
            cancellationToken
        );
    }

    /// <summary>A redrive's progress.</summary>
    [McpServerTool(Name = "get_redrive", Title = "A redrive's progress", ReadOnly = true, OpenWorld = false)]
    [Description(
        "A redrive or rehearsal: its stage, and how many messages wait, were sent, are done, failed again, were skipped."
    )]
    public async Task<object> RedriveAsync(
        [Description("The redrive's id.")] Guid id,
        CancellationToken cancellationToken
    ) => Shown(await FindAsync(id, cancellationToken));

    /// <summary>The newest redrives.</summary>
    [McpServerTool(Name = "list_redrives", Title = "Redrives", ReadOnly = true, OpenWorld = false)]
    [Description("The newest redrives and rehearsals, newest first.")]
    public async Task<object> RedrivesAsync(CancellationToken cancellationToken) =>
        (await reader.ListAsync(null, cancellationToken)).Select(Shown);

    private async Task<object> ChangeAsync(
        Guid id,
        string reason,
        Func<AuditEntry, Task<RedriveRefusal?>> change,
        AuditEntry record,
        CancellationToken cancellationToken
    )
    {
        ReasonOf(reason);
        return await change(record) is { } refused
            ? throw Refused(refused)
            : Shown(await FindAsync(id, cancellationToken));
    }

    // The API's limit looks at its own bodies; here the reason stands deeper in one of the protocol. It is kept for ever.
    private static string ReasonOf(string? reason) =>
        !string.IsNullOrWhiteSpace(reason) && reason.Length <= IncomingText.LongestReason
            ? reason
            : throw new McpException($"reason must say why, in at most {IncomingText.LongestReason} characters.");

    private async Task<RedriveProgress> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await reader.FindAsync(id, cancellationToken) ?? throw new McpException($"There is no redrive {id}.");

    // An assistant that was misled can do nothing to the redrives of people, nor start what it has not shown.
    private async Task<RedriveProgress> OwnAsync(Guid id, Actor actor, CancellationToken cancellationToken)
    {
        var redrive = await FindAsync(id, cancellationToken);
        return redrive.Redrive.CreatedBy == actor.Name && redrive.Redrive.Patch is null
            ? redrive
            : throw new McpException(
                $"Redrive {id} was made by {redrive.Redrive.CreatedBy}{(redrive.Redrive.Patch is null ? "" : " with a patch")}; here only redrives can be changed that {actor.Name} has rehearsed here. See the dashboard's page Redrives."
            );
    }

    // Everybody may read a redrive; what its patch writes may be personal.
    private object Shown(RedriveProgress redrive) =>
        redrive with
        {
            Redrive = redrive.Redrive with { Patch = right.Shown(redrive.Redrive.Patch) },
        };

    private static McpException Refused(RedriveRefusal refusal) => new($"{refusal.Code}: {refusal.Detail}");
}
