using System.ComponentModel;
using ModelContextProtocol.Server;
using Orders.Dashboard.BulkPages;
using Orders.Infrastructure;
using Orders.Infrastructure.Bulk;
using Orders.Infrastructure.Feeding;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Dashboard.Mcp;

/// <summary>
/// Bulk actions, in two calls: a rehearsal chooses the orders or failures and is stored, a confirmation with its number
/// starts just that.
/// </summary>
internal sealed class BulkTools(ToolCaller caller, BulkActions actions, BulkReader reader)
    : RehearsalTools<BulkAction>(caller, "bulk action", "Bulk actions")
{
    private const int Newest = 50;
    private const string Rehearses =
        " Changes nothing, and says how many match, how many would be touched, which not and why, and what would follow outside. Returns the rehearsal's id and its number for confirm_bulk_action. It ends after an hour. Needs an operator's key.";

    /// <summary>Rehearses the cancellation of orders.</summary>
    [McpServerTool(
        Name = "rehearse_cancel_orders",
        Title = "Rehearse cancelling orders",
        ReadOnly = false,
        Destructive = false,
        OpenWorld = false
    )]
    [Description("Chooses the orders that match, to cancel them. All filters that are given must hold." + Rehearses)]
    public Task<object> RehearseCancelAsync(
        [Description("Why, for the record.")] string reason,
        [Description("Only in this status.")] OrderStatus? status = null,
        [Description("Only those that still need this step.")] string? step = null,
        [Description("Only of this client of the API.")] string? client = null,
        [Description("Only accepted at this moment or later.")] DateTimeOffset? from = null,
        [Description("Only accepted before this moment.")] DateTimeOffset? to = null,
        [Description("At most so many a second: 1–1000; 50 if not given.")] int? perSecond = null,
        CancellationToken cancellationToken = default
    ) =>
        RehearseAsync(
            "rehearse_cancel_orders",
            reason,
            new BulkRequest(CancelOrders.KindName, null, Orders(status, step, client, from, to), perSecond),
            cancellationToken
        );

    /// <summary>Rehearses the replay of a step.</summary>
    [McpServerTool(
        Name = "rehearse_replay_step",
        Title = "Rehearse replaying a step",
        ReadOnly = false,
        Destructive = false,
        OpenWorld = false
    )]
    [Description(
        "Chooses the orders that match, to send a step its message again; what the step has done is not done again. All filters that are given must hold."
            + Rehearses
    )]
    public Task<object> RehearseReplayAsync(
        [Description("The step that gets its message again.")] string replay,
        [Description("Why, for the record.")] string reason,
        [Description("Only in this status.")] OrderStatus? status = null,
        [Description("Only those that still need this step.")] string? step = null,
        [Description("Only of this client of the API.")] string? client = null,
        [Description("Only accepted at this moment or later.")] DateTimeOffset? from = null,
        [Description("Only accepted before this moment.")] DateTimeOffset? to = null,
        [Description("At most so many a second: 1–1000; 50 if not given.")] int? perSecond = null,
        CancellationToken cancellationToken = default
    ) =>
        RehearseAsync(
            "rehearse_replay_step",
            reason,
            new BulkRequest(ReplayStep.KindName, replay, Orders(status, step, client, from, to), perSecond),
            cancellationToken
        );

    /// <summary>Rehearses the archiving of failures.</summary>
    [McpServerTool(
        Name = "rehearse_archive_failures",
        Title = "Rehearse archiving failures",
        ReadOnly = false,
        Destructive = false,
        OpenWorld = false
    )]
    [Description(
        "Chooses the dead-lettered messages that match, to take them out of their queues: nobody redrives them then. All filters that are given must hold."
            + Rehearses
    )]
    public Task<object> RehearseArchiveAsync(
        [Description("Why, for the record.")] string reason,
        [Description("Failures of this group: a fingerprint of list_failure_groups.")] string? group = null,
        [Description("Failures of this step.")] string? step = null,
        [Description("Failures about this order: its number or id.")] string? order = null,
        [Description("These failures, by their ids.")] IReadOnlyList<Guid>? ids = null,
        [Description("At most so many a second: 1–1000; 1000 if not given.")] int? perSecond = null,
        CancellationToken cancellationToken = default
    ) =>
        RehearseAsync(
            "rehearse_archive_failures",
            reason,
            new BulkRequest(
                ArchiveFailures.KindName,
                null,
                ArchiveFailures.FilterOf(
                    new FailureFilter
                    {
                        Group = group,
                        Step = step,
                        Subject = order,
                        Ids = ids,
                    }
                ),
                perSecond
            ),
            cancellationToken
        );

    /// <summary>Starts a bulk action that was rehearsed.</summary>
    [McpServerTool(
        Name = "confirm_bulk_action",
        Title = "Start a rehearsed bulk action",
        ReadOnly = false,
        Destructive = true,
        OpenWorld = false
    )]
    [Description(
        "Starts a bulk action that was rehearsed with the same key's operator, for exactly the rehearsed orders or failures. Only after a person has agreed to the rehearsal and its number. Confirming it again changes nothing. Needs an operator's key."
    )]
    public Task<object> ConfirmAsync(
        [Description("The rehearsal's id.")] Guid id,
        [Description("The rehearsal's number (total), which the person has agreed to.")] int expect,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            "confirm_bulk_action",
            id,
            reason,
            (action, actor) =>
                actions.ConfirmAsync(
                    id,
                    expect,
                    actor.Did($"{BulkApi.Verb(action.Kind)} by MCP", reason: reason),
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Ends a bulk action.</summary>
    [McpServerTool(
        Name = "cancel_bulk_action",
        Title = "Cancel a bulk action",
        ReadOnly = false,
        Destructive = true,
        OpenWorld = false
    )]
    [Description(
        "Ends a rehearsal or a bulk action that was made with the same key's operator: orders or failures whose turn has not come are left alone for good. Needs an operator's key."
    )]
    public Task<object> CancelAsync(
        [Description("The bulk action's id.")] Guid id,
        [Description("Why, for the record.")] string reason,
        CancellationToken cancellationToken
    ) =>
        ChangeAsync(
            "cancel_bulk_action",
            id,
            reason,
            (_, actor) => actions.EndAsync(id, actor.Did("end bulk action by MCP", reason: reason), cancellationToken),
            cancellationToken
        );

    /// <summary>A bulk action's progress.</summary>
    [McpServerTool(Name = "get_bulk_action", Title = "A bulk action's progress", ReadOnly = true, OpenWorld = false)]
    [Description(
        "A bulk action or rehearsal: its state, what it was rehearsed for, and how many are done, left, skipped, refused."
    )]
    public Task<object> ActionAsync(
        [Description("The bulk action's id.")] Guid id,
        CancellationToken cancellationToken
    ) => ShowAsync(id, cancellationToken);

    /// <summary>The newest bulk actions.</summary>
    [McpServerTool(Name = "list_bulk_actions", Title = "Bulk actions", ReadOnly = true, OpenWorld = false)]
    [Description("The newest bulk actions and rehearsals, newest first.")]
    public async Task<object> ActionsAsync(CancellationToken cancellationToken) =>
        (await reader.ListAsync(null, Newest, cancellationToken)).Select(Shown);

    /// <inheritdoc />
    protected override Task<BulkAction?> ReadAsync(Guid id, CancellationToken cancellationToken) =>
        reader.FindAsync(id, cancellationToken);

    /// <inheritdoc />
    protected override string MadeBy(BulkAction found) => found.CreatedBy;

    /// <inheritdoc />
    protected override object Shown(BulkAction found) => BulkView.Of(found);

    private static string Orders(
        OrderStatus? status,
        string? step,
        string? client,
        DateTimeOffset? from,
        DateTimeOffset? to
    ) => new OrderChoice(from, to, status, null, client, step).ToJson();

    private async Task<object> RehearseAsync(
        string tool,
        string reason,
        BulkRequest request,
        CancellationToken cancellationToken
    )
    {
        var actor = await OperatorAsync(tool, reason, cancellationToken);
        var action = await actions.RehearseAsync(
            request,
            actor.Did($"rehearse {BulkApi.Verb(request.Kind)} by MCP", reason: reason),
            cancellationToken
        );
        return new
        {
            bulkAction = Shown(action),
            next = $"Show this to a person. Then confirm_bulk_action with this id and expect {action.Total}, or cancel_bulk_action.",
        };
    }
}
