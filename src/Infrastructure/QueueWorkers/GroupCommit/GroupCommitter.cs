using System.Diagnostics;
using System.Threading.Channels;
using QueueWorkers.Background;
using QueueWorkers.Telemetry;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// Lets units of work that are there at the same moment share one commit. Each caller hands over one unit and gets its
/// own answer after the commit that contains it.
/// The commit under way is the wait, so an idle system commits at once and a busy one in hundreds. A read can be shared
/// in the same way.
/// </summary>
/// <remarks>
/// 1. A unit waits in memory only until its commit; a process that dies takes it along, and nobody has been told that
///    it was done: the message is not acked, the request not answered.
/// 2. A unit whose data the database refuses, or whose lock another transaction holds, fails alone: the batch is split
///    in halves until the culprit stands by itself
///    (one by one would halve the rate at one bad unit in 200). Halves wait only briefly for locks
///    (<see cref="LockWait"/>), or one frozen holder would hold up everybody for as many time-outs as there are halves.
/// 3. A lost connection fails the whole batch at once, and so the outcome of that commit is unknown to all of it;
///    callers must be safe to repeat.
/// 4. One writer per process: two would deadlock on shared rows and save nothing on the processors they share
///    (measured: half the batch size, more database CPU).
/// </remarks>
/// <typeparam name="TUnit">The unit: pure data.</typeparam>
/// <typeparam name="TResult">What the caller gets back.</typeparam>
public abstract class GroupCommitter<TUnit, TResult> : IAsyncDisposable
    where TUnit : class
{
    /// <summary>
    /// The most units in one commit. Beyond some 200 a larger batch saves nothing and makes everybody in it wait
    /// longer.
    /// </summary>
    public const int MaxBatch = 200;

    // From so many units in a commit on the next one is taken to be under load.
    private const int Busy = 16;

    // As many statements of one batch as may have a plan that is out of date: each try finds one of them.
    private const int MostStalePlans = 5;

    private readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(
        new UnboundedChannelOptions { SingleReader = true }
    );
    private readonly Task _loop;

    /// <summary>Starts the writer.</summary>
    protected GroupCommitter() => _loop = BackgroundLoop.Run(GetType().Name, RunAsync);

    /// <summary>Commits a unit together with whatever else is waiting.</summary>
    /// <param name="unit">The unit.</param>
    /// <returns>The unit's own result, after the commit.</returns>
    /// <exception cref="ObjectDisposedException">The writer has been stopped; stop those who hand over units
    /// first.</exception>
    public Task<TResult> CommitAsync(TUnit unit)
    {
        if (QueueWorkersTelemetry.Source.HasListeners() && Activity.Current is { Recorded: true })
            return CommitTracedAsync(unit);
        var entry = new Entry(unit);
        ObjectDisposedException.ThrowIf(!_queue.Writer.TryWrite(entry), this);
        return entry.Completion.Task;
    }

    /// <summary>What a unit's span is called: one statement for many units has a span in the trace of each.</summary>
    protected virtual string SpanName => $"commit {GetType().Name}";

    /// <summary>Writes a batch in one transaction and returns a result per unit, in the same order.</summary>
    protected abstract Task<TResult[]> WriteAsync(IReadOnlyList<TUnit> units);

    /// <summary>
    /// Whether a failure may be the fault of single units, so that splitting the batch can save the others.
    /// </summary>
    protected abstract bool IsUnitFault(Exception exception);

    /// <summary>
    /// How long a busy writer lets units gather when they do not fill a batch: each commit has a price of its own,
    /// whatever is in it. Zero, the default, where somebody waits for the answer.
    /// A commit of a few units is never held up by it.
    /// </summary>
    protected virtual TimeSpan Linger => TimeSpan.Zero;

    /// <summary>
    /// Whether the batch being written is a part of one that waited in vain for a lock. A writer that takes locks
    /// begins such a transaction with <see cref="LockWait.Briefly"/>.
    /// </summary>
    protected bool WaitsBriefly { get; private set; }

    /// <summary>Commits what is waiting, then ends the writer.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        GC.SuppressFinalize(this);
    }

    private async Task<TResult> CommitTracedAsync(TUnit unit)
    {
        using var span = QueueWorkersTelemetry.Source.StartActivity(SpanName, ActivityKind.Client);
        span?.SetTag("db.system.name", "postgresql");
        var entry = new Entry(unit);
        ObjectDisposedException.ThrowIf(!_queue.Writer.TryWrite(entry), this);
        try
        {
            return await entry.Completion.Task;
        }
        catch (Exception fault) when (span is not null)
        {
            MessageSpans.Fail(span, fault.GetType().FullName ?? fault.GetType().Name, PersonalText.Of(fault.Message));
            throw;
        }
    }

    private async Task RunAsync()
    {
        RunFlow.Leave();
        var batch = new List<Entry>(MaxBatch);
        var last = 0;
        while (await _queue.Reader.WaitToReadAsync())
        {
            // After a full batch there is no need to wait for the next one.
            if (last is >= Busy and < MaxBatch && Linger > TimeSpan.Zero)
                await Task.Delay(Linger);
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var entry))
                batch.Add(entry);
            last = batch.Count;
            await CommitAsync(batch, waitsBriefly: false);
            batch.Clear();
        }
    }

    private async Task CommitAsync(List<Entry> batch, bool waitsBriefly, int stalePlans = 0)
    {
        WaitsBriefly = waitsBriefly;
        try
        {
            var results = await WriteAsync(batch.ConvertAll(static e => e.Unit));
            for (var i = 0; i < batch.Count; i++)
                batch[i].Completion.TrySetResult(results[i]);
        }
        catch (Exception exception) when (stalePlans < MostStalePlans && DatabaseFault.IsStalePlan(exception))
        {
            // A deployment changed a table: nothing was written, and the driver prepares the statement anew.
            DatabaseFaultMetrics.Count(exception);
            await CommitAsync(batch, waitsBriefly, stalePlans + 1);
        }
        catch (Exception exception) when (batch.Count > 1 && IsUnitFault(exception))
        {
            var half = batch.Count / 2;
            var briefly = waitsBriefly || DatabaseFault.IsLockTimeout(exception);
            await CommitAsync(batch.GetRange(0, half), briefly);
            await CommitAsync(batch.GetRange(half, batch.Count - half), briefly);
        }
#pragma warning disable CA1031 // Every kind of failure belongs to the callers: it is handed to each of them, and the writer lives on for the next batch.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            foreach (var entry in batch)
                entry.Completion.TrySetException(exception);
        }
    }

    // Continuations run elsewhere: a caller's next steps must not hold up the next commit.
    private sealed class Entry(TUnit unit)
    {
        public TUnit Unit { get; } = unit;

        public TaskCompletionSource<TResult> Completion { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
