using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Bulk;

/// <summary>
/// Goes on with the confirmed bulk actions, a portion of targets in one transaction each:
/// 1. The action's row is locked; one that another process is at is left to it.
/// 2. The next targets are acted on as far as they still fit, and settled, in the same transaction. Dying before its
///    commit changes nothing and repeats the portion; dying after it goes on behind it: no target is acted on twice or
///    left out.
/// 3. Messages that were written into the outbox are offered to the relay. Dying before that leaves them to the poller.
/// A portion that meets a defect is repeated target by target, and the one at fault is refused with the reason. A
/// rehearsal that nobody confirms ends after an hour.
/// </summary>
public sealed partial class BulkRunner(
    NpgsqlDataSource database,
    IEnumerable<IBulkKind> kinds,
    RelayFeed relay,
    ILogger<BulkRunner> logger
) : ResilientLoop(DatabaseClock.Provider)
{
    private const string NobodyConfirmed = "Nobody confirmed it within an hour.";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Then the next action has its turn.
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RehearsalLasts = TimeSpan.FromHours(1);

    private readonly Dictionary<string, IBulkKind> _kinds = kinds.ToDictionary(kind => kind.Name);

    // The target that was acted on last, or the first of several: a defect is its own, and not that of whichever target
    // is next once another process has been at the action.
    private Guid _tried;

    // One of them waits, for a lock for example: the others are not slowed down for it.
    private bool _isOneHeld;

    /// <summary>True: one bulk action that meets a defect must not hold up the others.</summary>
    protected override bool SurvivesDefects => true;

    /// <summary>
    /// Gives every open bulk action a turn. A fault of one, such as a lock that somebody holds, is thrown when the others
    /// have had theirs. Only one caller at a time.
    /// </summary>
    /// <exception cref="NpgsqlException">The database does not answer; nothing is lost.</exception>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? last = null;
        _isOneHeld = false;
        foreach (var id in await BulkSql.OpenAsync(database, RehearsalLasts, cancellationToken))
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                while (Stopwatch.GetElapsedTime(began) < Turn && await GoOnAsync(id, cancellationToken)) { }
            }
            catch (Exception fault) when (IsOfOneAction(fault))
            {
                last = ExceptionDispatchInfo.Capture(fault);
            }
        }

        _isOneHeld = last is not null && IsOutage(last.SourceException);
        last?.Throw();
    }

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await TurnAsync(cancellationToken);
        return Pause;
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => DatabaseFault.MayPass(fault);

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(Pause, _isOneHeld ? Turn : LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter)
    {
        if (IsOutage(fault))
            CannotGoOn(logger, fault.Message, retryAfter);
        else
            Failed(logger, fault);
    }

    // Whether there may be more to do at once.
    private async Task<bool> GoOnAsync(Guid id, CancellationToken cancellationToken)
    {
        try
        {
            return await PortionAsync(id, int.MaxValue, refuse: null, cancellationToken);
        }
        catch (Exception fault) when (IsDefect(fault))
        {
            Defect(logger, id, fault);
        }

        _tried = default;
        try
        {
            return await PortionAsync(id, 1, refuse: null, cancellationToken);
        }
        catch (Exception fault) when (IsDefect(fault))
        {
            return await PortionAsync(id, 1, $"{fault.GetType().Name}: {fault.Message}", cancellationToken);
        }
    }

    private static bool IsOfOneAction(Exception fault) =>
        fault is not OperationCanceledException && !DatabaseFault.IsUnavailable(fault);

    private bool IsDefect(Exception fault) => fault is not OperationCanceledException && !IsOutage(fault);

    private async Task<bool> PortionAsync(Guid id, int most, string? refuse, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await BulkSql.LockAsync(connection, id, cancellationToken) is not var (action, due))
            return false;
        if (action.State == BulkState.Rehearsed)
            await BulkSql.ExecuteAsync(connection, BulkSql.End, cancellationToken, id, NobodyConfirmed);
        else if (!_kinds.TryGetValue(action.Kind, out var kind))
            await BulkSql.PauseAsync(
                connection,
                id,
                $"This version of the dashboard does not know '{action.Kind}'.",
                cancellationToken
            );
        else if (Math.Min(Math.Min(kind.Portion, due), most) is var limit and > 0)
            return await ActAsync(connection, transaction, kind, action, limit, refuse, cancellationToken);
        else
            return false;
        await transaction.CommitAsync(CancellationToken.None);
        return false;
    }

    private async Task<bool> ActAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IBulkKind kind,
        BulkAction action,
        int limit,
        string? refuse,
        CancellationToken cancellationToken
    )
    {
        var targets = await BulkSql.NextAsync(connection, action.Id, limit, cancellationToken);
        if (targets.Count == 0)
        {
            await BulkSql.FinishAsync(connection, action.Id, cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            Ended(logger, action.Id, action.Done, action.Skipped, action.Refused);
            return false;
        }

        // Another process has refused it meanwhile; this one was not tried.
        if (refuse is not null && targets[0] != _tried)
            return true;
        _tried = targets[0];
        var portion = refuse is null
            ? await kind.DoAsync(connection, action, targets, cancellationToken)
            : new BulkPortion([.. targets.Select(t => new BulkSettled(t, BulkItemState.Refused, refuse))], []);
        var gone = targets
            .Except(portion.Settled.Select(s => s.Target))
            .Select(t => new BulkSettled(t, BulkItemState.Skipped, "It is not there any more."));
        await BulkSql.SettleAsync(connection, action.Id, [.. portion.Settled, .. gone], cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        portion.Committed?.Invoke();
        foreach (var message in portion.Messages)
            relay.Offer(message);
        return true;
    }

    [LoggerMessage(
        4060,
        LogLevel.Information,
        "Bulk action ended: {BulkActionId}, {Done} done, {Skipped} skipped, {Refused} refused"
    )]
    private static partial void Ended(ILogger logger, Guid bulkActionId, int done, int skipped, int refused);

    [LoggerMessage(4061, LogLevel.Warning, "Bulk actions could not go on; next attempt in {Delay}. {Reason}")]
    private static partial void CannotGoOn(ILogger logger, string reason, TimeSpan delay);

    [LoggerMessage(
        4062,
        LogLevel.Error,
        "Bulk action failed for some of its targets; they are tried one by one: {BulkActionId}"
    )]
    private static partial void Defect(ILogger logger, Guid bulkActionId, Exception exception);

    [LoggerMessage(
        4063,
        LogLevel.Error,
        "Bulk actions failed for a reason that is not their targets'; they are tried again"
    )]
    private static partial void Failed(ILogger logger, Exception exception);
}
