using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Leases;

/// <summary>
/// A name that one process holds at a time, as a row with an end. Unlike a session's advisory lock it holds no
/// connection and works through a pooler that hands out sessions by transaction.
/// The life of a lease:
/// 1. It is taken, for a set time. Dying here leaves a row that anybody may take over after that time.
/// 2. It is renewed every third of its time. A process that stalls longer than the time, or cannot reach the database,
///    has lost it and is told so (<see cref="Lost"/>): it may have a successor.
/// 3. It is released: the row is deleted if it is still this holder's. Dying before costs the rest of the time.
/// All times are the database's, so the clocks of the processes do not matter.
/// </summary>
public sealed class RowLease : IAsyncDisposable
{
    private const string Take = """
        insert into leases (name, holder, until) values ($1, $2, clock_timestamp() + $3)
        on conflict (name) do update set holder = excluded.holder, until = excluded.until
            where leases.until < clock_timestamp()
        """;

    // Also when it has run out and nobody has taken it: nothing has happened in between.
    private const string Renew = "update leases set until = clock_timestamp() + $3 where name = $1 and holder = $2";

    private const string Release = "delete from leases where name = $1 and holder = $2";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly NpgsqlDataSource _database;
    private readonly TimeSpan _duration;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _released = new();
    private readonly Task _renewing;
    private long _renewedAt;

    private RowLease(NpgsqlDataSource database, string name, Guid holder, TimeSpan duration, long takenAt)
    {
        (_database, Name, Holder, _duration, _renewedAt) = (database, name, holder, duration, takenAt);
        _renewing = KeepAsync();
    }

    /// <summary>What is held.</summary>
    internal string Name { get; }

    /// <summary>Who holds it: a statement that must not be carried out without the lease looks for its row.</summary>
    internal Guid Holder { get; }

    /// <summary>Cancelled when it may be somebody else's.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Takes a name that nobody holds.</summary>
    /// <param name="database">Where.</param>
    /// <param name="name">What.</param>
    /// <param name="duration">How long a holder that does not renew it keeps it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The lease; null when somebody else holds it.</returns>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public static async Task<RowLease?> TryTakeAsync(
        NpgsqlDataSource database,
        string name,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        var (holder, takenAt) = (DatabaseClock.NewId(), Environment.TickCount64);
        await using var command = Command(database, Take, name, holder);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = duration });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1
            ? new RowLease(database, name, holder, duration, takenAt)
            : null;
    }

    /// <summary>Until when somebody holds a name; null when nobody does.</summary>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public static async Task<DateTimeOffset?> HeldUntilAsync(
        NpgsqlDataSource database,
        string name,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand("select until from leases where name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime until ? until : null;
    }

    /// <summary>Renews it now.</summary>
    /// <returns>Whether it was still this holder's.</returns>
    /// <exception cref="NpgsqlException">The database cannot be reached.</exception>
    public async Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        var at = Environment.TickCount64;
        await using var command = Command(_database, Renew, Name, Holder);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = _duration });
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
        {
            await _lost.CancelAsync();
            return false;
        }

        Interlocked.Exchange(ref _renewedAt, at);
        return true;
    }

    /// <summary>Ends the renewing and gives it up.</summary>
    /// <returns>
    /// Whether it was this holder's until now; false also when the database does not answer within a few seconds.
    /// </returns>
    public async Task<bool> ReleaseAsync()
    {
        await _released.CancelAsync();
        await _renewing;
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await using var command = Command(_database, Release, Name, Holder);
            return await command.ExecuteNonQueryAsync(patience.Token) == 1;
        }
        catch (Exception fault) when (fault is OperationCanceledException || DatabaseFault.MayPass(fault))
        {
            // It ends by itself.
            return false;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync();
        _lost.Dispose();
        _released.Dispose();
    }

    private async Task KeepAsync()
    {
        while (!_lost.IsCancellationRequested)
        {
            await Task.Delay(_duration / 3, _released.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_released.IsCancellationRequested)
                return;
            try
            {
                await RenewAsync(_released.Token);
            }
            catch (OperationCanceledException) when (_released.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (DatabaseFault.MayPass(fault))
            {
                // Others may take it once its time is over: by then the work must have ended here.
                if (Environment.TickCount64 - Interlocked.Read(ref _renewedAt) >= (_duration * 0.9).TotalMilliseconds)
                    await _lost.CancelAsync();
            }
            catch
            {
                // No try repairs it: the holder is told now, and gets the fault when it releases the lease.
                await _lost.CancelAsync();
                throw;
            }
        }
    }

    private static NpgsqlCommand Command(NpgsqlDataSource database, string sql, string name, Guid holder)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = holder });
        return command;
    }
}
