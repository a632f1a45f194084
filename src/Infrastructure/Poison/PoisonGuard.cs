using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Leases;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Poison;

/// <summary>
/// Finds the message that kills its process among those that only lay beside it. The broker counts lost deliveries, but of all messages in flight alike; so:
/// 1. A message whose deliveries were lost <see cref="PoisonOptions.SuspectAfter"/> times is a suspect. It waits until nothing else runs in the process (<see cref="IsolationGate"/>).
/// 2. Before its run a mark is committed. Dying before it leaves no mark: whatever died, it was not this run.
/// 3. It runs alone. If the process dies now, the mark stays, and the next delivery counts it as a death.
/// 4. After the run, well or not, the mark is removed: an innocent is done, or fails like any other message. Dying before that counts a death too many, once.
/// 5. A message with <see cref="PoisonOptions.ParkAfter"/> deaths is parked without another run.
/// A mark whose process still lives is no death: that process renews a lease while it runs, and the message waits elsewhere meanwhile. A dead one's lease ends by itself.
/// Messages that were never lost, which is nearly all, pay for none of this.
/// </summary>
public sealed class PoisonGuard(NpgsqlDataSource database, PoisonOptions options, PoisonMetrics metrics, ILogger<PoisonGuard> logger) : IDisposable
{
    private const string Mark = """
        insert into suspects (message_id, step, deaths, running, host) values ($1, $2, 0, true, $3)
        on conflict (message_id, step) do update set deaths = suspects.deaths + suspects.running::int, running = true, host = excluded.host, at = now()
        returning deaths, coalesce(old.host, ''), at
        """;

    // By the time of the mark: a run that was taken for dead must not remove its successor's.
    private const string Remove = "delete from suspects where message_id = $1 and step = $2 and at = $3";

    // The run has not come to an end of its own: the deaths that were counted stay.
    private const string PutOff = """
        with waits as (update suspects set running = false where message_id = $1 and step = $2 and at = $3 and deaths > 0)
        delete from suspects where message_id = $1 and step = $2 and at = $3 and deaths = 0
        """;

    // A process that stalled longer than its lease was taken for dead by its successor, whose mark this is now: it has not died after all.
    private const string NotDead = "update suspects set deaths = greatest(deaths - 1, 0) where message_id = $1 and step = $2";

    // Longer than a pause of the garbage collector or a slow disk, short enough for the next process to wait for the end of a dead one's.
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly IsolationGate _gate = new();

    /// <summary>Lets a run begin; dispose the pass when it has ended.</summary>
    /// <param name="run">The run.</param>
    /// <param name="lost">Deliveries of its message that were lost so far, as the broker counts them.</param>
    /// <param name="cancellationToken">The end of the process.</param>
    /// <exception cref="PoisonMessageException">The message is to be parked.</exception>
    /// <exception cref="EffectInProgressException">Another process is running it.</exception>
    public async ValueTask<Pass> EnterAsync(StepRun run, long lost, CancellationToken cancellationToken)
    {
        if (lost < options.SuspectAfter)
        {
            await _gate.EnterAsync(cancellationToken);
            return new Pass(this, null, null, null);
        }

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
            return new Pass(this, run, lease, await MarkAsync(run, lost, cancellationToken));
        }
        catch
        {
            _gate.LeaveAlone();
            await lease.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _gate.Dispose();

    // The broker gives a dead process's message to the next one at once, which then waits here for the end of the dead one's lease.
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
                throw new EffectInProgressException(run.Effect, run.SubjectId, DateTimeOffset.UtcNow + Elsewhere);
            seen = until ?? seen;
            await Task.Delay(LookAgain, cancellationToken);
        }
    }

    private async Task<RunMark> MarkAsync(StepRun run, long lost, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (deaths, host, mark) = await MarkAsync(connection, run, cancellationToken);
        if (deaths >= options.ParkAfter)
        {
            await ExecuteAsync(connection, Remove, run, mark, cancellationToken);
            PoisonLog.Poisonous(logger, run.Step, run.MessageId, deaths);
            metrics.Poisonous(run.Step);
            throw new PoisonMessageException(run.Step, run.MessageId, (int)lost + 1, deaths, host);
        }

        PoisonLog.RunsAlone(logger, run.Step, run.MessageId, lost);
        metrics.RunsAlone(run.Step);
        return mark;
    }

    private static async Task<(int Deaths, string Host, RunMark Mark)> MarkAsync(NpgsqlConnection connection, StepRun run, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Mark, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = run.MessageId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Step });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Environment.MachineName });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(0), reader.GetString(1), new RunMark(reader.GetFieldValue<DateTime>(2)));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, StepRun run, RunMark? mark, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = run.MessageId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = run.Step });
        if (mark is not null)
            command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = mark.At });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async ValueTask LeaveAsync(StepRun? suspect, RowLease? lease, RunMark? mark)
    {
        if (suspect is null || lease is null || mark is null)
        {
            _gate.Leave();
            return;
        }

        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await DatabasePatience.RunAsync(
                async () =>
                {
                    // Asked before the mark goes: a successor's mark must stay.
                    var isMine = await lease.RenewAsync(patience.Token);
                    await using var connection = await database.OpenConnectionAsync(patience.Token);
                    var (sql, own) = (isMine, mark.IsPutOff) switch
                    {
                        (false, _) => (NotDead, null),
                        (true, true) => (PutOff, mark),
                        (true, false) => (Remove, mark),
                    };
                    await ExecuteAsync(connection, sql, suspect, own, patience.Token);
                },
                patience.Token);
        }
        catch (Exception fault) when (fault is OperationCanceledException || DatabaseFault.MayPass(fault))
        {
            PoisonLog.MarkStays(logger, suspect.Step, suspect.MessageId, fault.Message);
        }
        finally
        {
            // First of all the others may run: whatever giving up the lease meets, they do not wait for it. Until then another process only finds this message under way.
            _gate.LeaveAlone();
            await lease.DisposeAsync();
        }
    }

    private static string KeyOf(StepRun run) => $"suspect {run.MessageId} {run.Step}";

    // A struct, so that the normal way allocates nothing.
#pragma warning disable CA1815 // Nobody compares passes.
    /// <summary>The right to run.</summary>
    public readonly struct Pass : IAsyncDisposable
#pragma warning restore CA1815
    {
        private readonly PoisonGuard _guard;
        private readonly StepRun? _suspect;
        private readonly RowLease? _lease;
        private readonly RunMark? _mark;

        internal Pass(PoisonGuard guard, StepRun? suspect, RowLease? lease, RunMark? mark) => (_guard, _suspect, _lease, _mark) = (guard, suspect, lease, mark);

        /// <summary>Call when the run has not come to an end of its own: its message comes again without an attempt, and the deaths that were counted stay.</summary>
        public void PutOff() => _mark?.PutOff();

        /// <summary>The run has ended.</summary>
        public ValueTask DisposeAsync() => _guard.LeaveAsync(_suspect, _lease, _mark);
    }

    // Which mark is ours: the time at which it was written.
    internal sealed class RunMark(DateTime at)
    {
        public DateTime At { get; } = at;

        public bool IsPutOff { get; private set; }

        public void PutOff() => IsPutOff = true;
    }
}
