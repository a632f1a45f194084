using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox;

namespace QueueWorkers.Redrive;

/// <summary>
/// Moves redrives forward, twice a second, one step in one transaction each. Where a redrive stands is in the database
/// only: whoever runs this next, in whichever process, goes on where the last one died.
/// 1. What came of the messages that were sent is read from where it is written: the idempotency table, the effects,
///    the index of failures.
/// 2. Too many that failed again stop it. When an operator lets it go on, the count begins anew, and so does the canary
///    if it was still at that.
/// 3. Canary: the first few are sent; once it is known what came of all of them, the ramp begins.
/// 4. Ramp: the others are sent at the set rate, as long as not too many are on their way: fresh messages share the
///    queue.
/// 5. Nothing waits and nothing is on its way: done.
/// </summary>
public sealed class RedriveRunner(NpgsqlDataSource database, RedriveMover mover, ILogger<RedriveRunner> logger)
    : ResilientLoop(DatabaseClock.Provider)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // What one look sends leaves in so many portions until the next one: half a second's worth at once would be a queue
    // of its own in front of every fresh message.
    private const int Portions = 20;

    /// <summary>From how many known outcomes on the share of those that failed again means something.</summary>
    private const int EnoughToJudge = 10;

    /// <summary>A dry run that nobody starts keeps its messages from others no longer than this.</summary>
    private static readonly TimeSpan DryRunEnds = TimeSpan.FromHours(1);

    /// <summary>True: one redrive that meets a defect must not hold up the others.</summary>
    protected override bool SurvivesDefects => true;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        var outgoing = new List<OutboxMessage>();
        var began = Stopwatch.GetTimestamp();
        try
        {
            foreach (var id in await RedriveSql.OpenAsync(database, cancellationToken))
                outgoing.AddRange(await StepAsync(id, cancellationToken));
        }
        finally
        {
            // Also when a later redrive has failed: these are committed.
            var age = Stopwatch.GetElapsedTime(began);
            began = Stopwatch.GetTimestamp();
            await OfferAsync(outgoing, age, cancellationToken);
        }

        return Pause - Stopwatch.GetElapsedTime(began);
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) => DatabaseFault.MayPass(fault);

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(Pause, LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter)
    {
        if (IsOutage(fault))
            RedriveLog.CannotGoOn(logger, fault.Message, retryAfter);
        else
            RedriveLog.Failed(logger, fault);
    }

    // Their rows are committed: whoever dies here leaves the rest to the poller of any relay, once their lease has
    // ended. The same is true of one that is asked to stop, and of what a slow database has kept here until the poller
    // is about to take it.
    private async Task OfferAsync(List<OutboxMessage> outgoing, TimeSpan age, CancellationToken stopping)
    {
        var (began, offered) = (Stopwatch.GetTimestamp(), 0);
        for (
            var portion = 1;
            portion <= Portions
                && outgoing.Count > 0
                && age < OutboxTable.Lease / 4
                && !stopping.IsCancellationRequested;
            portion++
        )
        {
            var until = outgoing.Count * portion / Portions;
            mover.Offer(outgoing[offered..until]);
            offered = until;
            await DelayAsync((Pause * portion / Portions) - Stopwatch.GetElapsedTime(began), stopping);
        }
    }

    private static async Task DelayAsync(TimeSpan time, CancellationToken stopping)
    {
        if (time > TimeSpan.Zero)
            await Task.Delay(time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<IReadOnlyList<OutboxMessage>> StepAsync(Guid id, CancellationToken cancellationToken)
    {
        Failpoint.Hit("redrive.before_begin", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Skipped when another process is at it: two would send at twice the rate.
        if (await RedriveSql.LockAsync(connection, id, cancellationToken) is not { } redrive)
            return [];

        await RedriveSql.SettleAsync(connection, id, cancellationToken);
        var counts = await RedriveSql.CountAsync(connection, redrive, cancellationToken);
        var outgoing = await GoOnAsync(connection, redrive, counts, cancellationToken);
        Failpoint.Hit("redrive.before_commit", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("redrive.after_commit", Outside.Database);
        return outgoing;
    }

    private async Task<IReadOnlyList<OutboxMessage>> GoOnAsync(
        NpgsqlConnection connection,
        LockedRedrive redrive,
        RedriveCounts counts,
        CancellationToken cancellationToken
    )
    {
        if (redrive.Stage == RedriveStage.DryRun)
        {
            if (redrive.Age > DryRunEnds)
                await RedriveSql.CancelAsync(
                    connection,
                    redrive.Id,
                    "It was not started within an hour.",
                    cancellationToken
                );
            return [];
        }

        if (counts is { Waiting: 0, Sent: 0 })
        {
            await RedriveSql.FinishAsync(connection, redrive.Id, cancellationToken);
            RedriveLog.Done(logger, redrive.Id, counts.All.Done, counts.All.FailedAgain, counts.All.Skipped);
            return [];
        }

        if (redrive.Stopped || counts.Waiting == 0)
            return [];
        if (ReasonToStop(redrive, counts) is { } reason)
        {
            await RedriveSql.StopAsync(connection, redrive.Id, reason, cancellationToken);
            RedriveLog.Stopped(logger, redrive.Id, reason);
            return [];
        }

        var stage = redrive.Stage;
        if (stage == RedriveStage.Canary && counts.Sent == 0 && counts.Lately.Settled >= redrive.Canary)
        {
            stage = RedriveStage.Ramp;
            await RedriveSql.RampAsync(connection, redrive.Id, cancellationToken);
        }

        var most =
            stage == RedriveStage.Canary
                ? redrive.Canary - counts.Sent - counts.Lately.Settled
                : RampQuota(redrive, counts);
        if (most <= 0)
            return [];
        var (outgoing, taken) = await mover.MoveAsync(connection, redrive.Id, redrive.Patch, most, cancellationToken);
        await RedriveSql.MovedAsync(connection, redrive.Id, taken, cancellationToken);
        return outgoing;
    }

    private static string? ReasonToStop(LockedRedrive redrive, RedriveCounts counts)
    {
        var (lately, judged) = (counts.Lately, counts.Lately.Judged);
        var enough =
            judged >= EnoughToJudge || (redrive.Stage == RedriveStage.Canary && counts.Sent == 0 && judged > 0);
        return enough && lately.FailedAgain * 100 > redrive.StopPercent * judged
            ? FormattableString.Invariant(
                $"{lately.FailedAgain} of {judged} failed again, more than {redrive.StopPercent} %."
            )
            : null;
    }

    // A second's worth on its way at most twice: what comes back slowly is not heaped up in front of fresh messages.
    private static int RampQuota(LockedRedrive redrive, RedriveCounts counts)
    {
        var due = (int)
            Math.Min(redrive.RatePerSecond * Math.Min(redrive.SinceMoved.TotalSeconds, 1), redrive.RatePerSecond);
        return Math.Min(due, Math.Max(20, redrive.RatePerSecond * 2) - counts.Sent);
    }
}
