using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters.Search;
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
) : RehearsalTools<RedriveProgress>(caller, "redrive", "Redrives")
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
        var actor = await OperatorAsync("rehearse_redrive", reason, cancellationToken);
        var request = new RedriveRequest
        {
            Filter = new FailureFilter
            {
                Group = group,
                Step = step,
                Subject = order,
                Ids = ids,
            },
            Reason = reason,
            Canary = canary,
            RatePerSecond = ratePerSecond,
            StopPercent = stopPercent,
            Start = false,
        };
        if (request.Problem() is { } problem)
            throw new McpException(problem);
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
    public Task<object> ConfirmAsync(
        [Description("The rehearsal's id.")] Guid id,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            "confirm_redrive",
            id,
            reason,
            (redrive, actor) =>
                redrive.Redrive.Stage == RedriveStage.DryRun
                    ? MustAsync(
                        redrives.StartAsync(id, actor.Did("confirm redrive by MCP", reason: reason), cancellationToken)
                    )
                    : throw new McpException(
                        $"Redrive {id} is no open rehearsal, it is {redrive.Redrive.Stage}; get_redrive says what has become of it."
                    ),
            cancellationToken
        );

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
    public Task<object> CancelAsync(
        [Description("The redrive's id.")] Guid id,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            "cancel_redrive",
            id,
            reason,
            (_, actor) =>
                MustAsync(
                    redrives.CancelAsync(id, actor.Did("cancel redrive by MCP", reason: reason), cancellationToken)
                ),
            cancellationToken
        );

    /// <summary>A redrive's progress.</summary>
    [McpServerTool(Name = "get_redrive", Title = "A redrive's progress", ReadOnly = true, OpenWorld = false)]
    [Description(
        "A redrive or rehearsal: its stage, and how many messages wait, were sent, are done, failed again, were skipped."
    )]
    public Task<object> RedriveAsync([Description("The redrive's id.")] Guid id, CancellationToken cancellationToken) =>
        ShowAsync(id, cancellationToken);

    /// <summary>The newest redrives.</summary>
    [McpServerTool(Name = "list_redrives", Title = "Redrives", ReadOnly = true, OpenWorld = false)]
    [Description("The newest redrives and rehearsals, newest first.")]
    public async Task<object> RedrivesAsync(CancellationToken cancellationToken) =>
        (await reader.ListAsync(null, cancellationToken)).Select(Shown);

    /// <inheritdoc />
    protected override Task<RedriveProgress?> ReadAsync(Guid id, CancellationToken cancellationToken) =>
        reader.FindAsync(id, cancellationToken);

    /// <inheritdoc />
    protected override string MadeBy(RedriveProgress found) => found.Redrive.CreatedBy;

    /// <inheritdoc />
    protected override string? Barred(RedriveProgress found) => found.Redrive.Patch is null ? null : " with a patch";

    // Everybody may read a redrive; what its patch writes may be personal.
    /// <inheritdoc />
    protected override object Shown(RedriveProgress found) =>
        found with
        {
            Redrive = found.Redrive with { Patch = right.Shown(found.Redrive.Patch) },
        };

    private static async Task MustAsync(Task<RedriveRefusal?> change)
    {
        if (await change is { } refused)
            throw Refused(refused);
    }

    private static McpException Refused(RedriveRefusal refusal) => new($"{refusal.Code}: {refusal.Detail}");
}
