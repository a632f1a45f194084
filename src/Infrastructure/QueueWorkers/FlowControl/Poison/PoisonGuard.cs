using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Leases;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// Finds the message that kills its process among those that only lay beside it. The broker counts lost deliveries, but
/// of all messages in flight alike, and of each copy by itself; so:
/// 1. Before a message that was lost once runs again, a row is committed (<see cref="SuspectRows"/>) with the count of
///    its lost deliveries and a mark. It counts by the original message id: a deferred message and a copy that a dying
///    relay has sent twice come with counts of their own.
/// 2. After <see cref="PoisonOptions.SuspectAfter"/> lost deliveries it is a suspect. It waits until nothing else runs
///    in the process (<see cref="IsolationGate"/>). The mark is committed then: dying before it counts no death alone.
/// 3. It runs alone. If the process dies now, the mark stays, and the next delivery counts it as a death.
/// 4. After the run, well or not, the row is removed: an innocent is done, or fails like any other message. Dying
///    before that counts a death too many, once.
/// 5. A message with <see cref="PoisonOptions.DeadLetterAfter"/> deaths is dead-lettered without another run. Dying
///    before it is in <c>_error</c> brings it here again, and it goes there again.
/// 6. Once it is in <c>_error</c>, that is written down, and copies of it are dropped. What was redriven begins anew.
/// A mark whose process still lives is no death: that process renews a lease while it runs, and the message waits
/// elsewhere meanwhile. A dead one's lease ends by itself.
/// Messages that were never lost, which is nearly all, pay one look into a set in memory (<see cref="KnownSuspects"/>).
/// </summary>
public sealed class PoisonGuard(
    NpgsqlDataSource database,
    PoisonOptions options,
    KnownSuspects known,
    PoisonMetrics metrics,
    ILogger<PoisonGuard> logger
) : IDisposable
{
    // Longer than a pause of the garbage collector or a slow disk, short enough for the next process to wait for the
    // end of a dead one's.
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    // How long whoever has found a killer may take to move it to _error before a copy is dead-lettered, too.
    private static readonly TimeSpan Moving = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IsolationGate _gate = new();
    private readonly SuspectRows _rows = new(database, options);

    /// <summary>
    /// Whether something is known of the message although this delivery of it may never have been lost.
    /// </summary>
    public bool Knows(StepRun run) => known.Contains(run.MessageId, run.Step);

    /// <summary>Lets a run begin; dispose the pass when it has ended.</summary>
    /// <param name="run">The run.</param>
    /// <param name="past">What its message says; the default where nothing is known of it.</param>
    /// <param name="cancellationToken">The end of the process.</param>
    /// <exception cref="PoisonMessageException">The message is to be dead-lettered.</exception>
    /// <exception cref="EffectInProgressException">Another process is running it, or about to dead-letter
    /// it.</exception>
    public async ValueTask<Pass> EnterAsync(StepRun run, DeliveryPast past, CancellationToken cancellationToken)
    {
        if (past.Lost == 0 && !Knows(run))
        {
            await _gate.EnterAsync(cancellationToken);
            return new Pass(this, null, null, null);
        }

        var note = await _rows.NoteAsync(run, past, cancellationToken);
        if (note.IsCopyOfDeadLetter)
            return Pass.CopyOfDeadLetter;
        if (note.Lost >= options.SuspectAfter)
            return await EnterAloneAsync(run, past with { Lost = note.Lost }, cancellationToken);
        await _gate.EnterAsync(cancellationToken);
        return new Pass(this, run, null, new RunMark(note.At));
    }

    /// <summary>
    /// Writes down that a message which kills is in <c>_error</c>. While that cannot be written, a copy of it is
    /// dead-lettered once more.
    /// </summary>
    public async Task DeadLetteredAsync(PoisonMessageException poison, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(poison);
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            await DatabaseRetry.RunAsync(
                () => _rows.DeadLetteredAsync(poison.MessageId, poison.Step, patience.Token),
                patience.Token
            );
        }
        catch (Exception fault) when (fault is OperationCanceledException || DatabaseFault.MayPass(fault))
        {
            PoisonLog.DeadLetterNotNoted(logger, poison.Step, poison.MessageId, fault.Message);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    private async Task<Pass> EnterAloneAsync(StepRun run, DeliveryPast past, CancellationToken cancellationToken)
    {
        // Before the gate is closed: a dead process's lease may take its whole time to end, and nobody here is to wait
        // for that.
        var lease = await TakeLeaseAsync(run, cancellationToken);
        try
        {
            await _gate.EnterAloneAsync(cancellationToken);
        }
        catch
        {
            await lease.DisposeAsync();
            throw;
        }

        try
        {
            return new Pass(this, run, lease, await MarkAsync(run, past, lease, cancellationToken));
        }
        catch
        {
            _gate.LeaveAlone();
            await lease.DisposeAsync();
            throw;
        }
    }

    // The broker gives a dead process's message to the next one at once, which then waits here for the end of the dead
    // one's lease.
    private async Task<RowLease> TakeLeaseAsync(StepRun run, CancellationToken cancellationToken)
    {
        DateTimeOffset? seen = null;
        while (true)
        {
            if (await RowLease.TryTakeAsync(database, KeyOf(run), Alive, cancellationToken) is { } lease)
                return lease;
            var until = await RowLease.HeldUntilAsync(database, KeyOf(run), cancellationToken);
            // Renewed meanwhile: somebody lives.
            if (until > seen)
                throw RunsElsewhere(run);
            seen = until ?? seen;
            await Task.Delay(LookAgain, cancellationToken);
        }
    }

    // Nobody else is between the look and the mark, as long as the lease is ours. The wait for the gate may have been
    // longer than that: then what was found marked is a run that goes on, and the message waits elsewhere.
    private async Task<RunMark> MarkAsync(
        StepRun run,
        DeliveryPast past,
        RowLease lease,
        CancellationToken cancellationToken
    )
    {
        if (!await lease.RenewAsync(cancellationToken))
            throw RunsElsewhere(run);
        var (deaths, isMarked, host, age) = await _rows.LookAsync(run, cancellationToken);
        if (deaths < options.DeadLetterAfter)
        {
            var mark =
                await _rows.MarkAsync(run, past, lease, isRunning: true, cancellationToken) ?? throw RunsElsewhere(run);
            PoisonLog.RunsAlone(logger, run.Step, run.MessageId, past.Lost);
            metrics.RunsAlone(run.Step);
            return new RunMark(mark);
        }

        // Found a moment ago: whoever found it is moving it. When that is done, this copy is dropped.
        if (!isMarked && age < Moving)
            throw new EffectInProgressException(run.Effect, run.SubjectId, DatabaseClock.UtcNow + (Moving - age));
        _ = await _rows.MarkAsync(run, past, lease, isRunning: false, cancellationToken) ?? throw RunsElsewhere(run);
        known.Add(run.MessageId, run.Step);
        PoisonLog.Poisonous(logger, run.Step, run.MessageId, deaths);
        metrics.Poisonous(run.Step);
        throw new PoisonMessageException(run.Step, run.MessageId, (int)past.Lost + 1, deaths, host);
    }

    private async ValueTask LeaveAsync(StepRun? suspect, RowLease? lease, RunMark? mark)
    {
        if (suspect is null || mark is null)
        {
            _gate.Leave();
            return;
        }

        // Before the row: others may be waiting to run alone.
        if (lease is null)
            _gate.Leave();
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await DatabaseRetry.RunAsync(
                async () =>
                {
                    // Asked before the mark goes, or whoever takes the lease next could not be told from a successor.
                    var isOurs = lease is null || await lease.RenewAsync(patience.Token);
                    var wasMarked = mark.IsPutOff
                        ? await _rows.PutOffAsync(suspect, mark.At, patience.Token)
                        : await _rows.RemoveAsync(suspect, mark.At, patience.Token);
                    // A successor has counted this run and put its own mark in the place of ours, which stays.
                    if (!isOurs && !wasMarked)
                        await _rows.NotDeadAsync(suspect, patience.Token);
                },
                patience.Token
            );
        }
        catch (Exception fault) when (fault is OperationCanceledException || DatabaseFault.MayPass(fault))
        {
            PoisonLog.MarkStays(logger, suspect.Step, suspect.MessageId, fault.Message);
        }
        finally
        {
            // First of all the others may run: whatever giving up the lease meets, they do not wait for it. Until then
            // another process only finds this message under way.
            if (lease is not null)
            {
                _gate.LeaveAlone();
                await lease.DisposeAsync();
            }
        }
    }

    private static EffectInProgressException RunsElsewhere(StepRun run) =>
        new(run.Effect, run.SubjectId, DatabaseClock.UtcNow + Elsewhere);

    private static string KeyOf(StepRun run) => $"suspect {run.MessageId} {run.Step}";

    // A struct, so that the normal way allocates nothing.
#pragma warning disable CA1815 // Nobody compares passes.
    /// <summary>The right to run.</summary>
    public readonly struct Pass : IAsyncDisposable
#pragma warning restore CA1815
    {
        private readonly PoisonGuard? _guard;
        private readonly StepRun? _suspect;
        private readonly RowLease? _lease;
        private readonly RunMark? _mark;

        internal Pass(PoisonGuard guard, StepRun? suspect, RowLease? lease, RunMark? mark) =>
            (_guard, _suspect, _lease, _mark) = (guard, suspect, lease, mark);

        /// <summary>No right: the message is a copy of one that stands in <c>_error</c>.</summary>
        internal static Pass CopyOfDeadLetter => default;

        /// <summary>Whether there is nothing to run: the message stands in <c>_error</c>.</summary>
        public bool IsCopyOfDeadLetter => _guard is null;

        /// <summary>
        /// Call when the run has not come to an end of its own: its message comes again without an attempt, and the
        /// deaths that were counted stay.
        /// </summary>
        public void PutOff() => _mark?.PutOff();

        /// <summary>The run has ended.</summary>
        public ValueTask DisposeAsync() => _guard?.LeaveAsync(_suspect, _lease, _mark) ?? ValueTask.CompletedTask;
    }

    // Which mark is ours: the time at which it was written.
    internal sealed class RunMark(DateTime at)
    {
        public DateTime At { get; } = at;

        public bool IsPutOff { get; private set; }

        public void PutOff() => IsPutOff = true;
    }
}
