using System.Collections.Concurrent;
using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.FlowControl.Cancellation;

/// <summary>
/// What was cancelled lately, in memory. It makes cancelling quick and spares work; it is not what makes it right. The
/// life of a cancellation:
/// 1. One transaction marks the subject, writes a row here, and sends the message on which every step undoes what it
///    did. Dying before its end leaves a subject that is not cancelled.
/// 2. Within a second every process that works knows, and an idle one asks before it begins: what has not begun is left
///    out, what runs is told by its token. Dying here costs that second once more after the restart.
/// 3. A run that commits all the same (it knew nothing, or could not be stopped) meets the mark in the row that its
///    commit updates anyway. What it did stays recorded as done,
///    what it wanted sent is not sent, and in the same commit the step is told once more to undo it.
/// 4. A run that is skipped also tells its step to undo: an earlier run may have died after its effect outside.
/// So whoever comes last, the doing or the cancelling, sees the other; the undoing has a permanent effect row of its
/// own and happens once.
/// </summary>
public sealed class Cancellations(NpgsqlDataSource database, RunningSteps running, TimeProvider time) : IDisposable
{
    // A second and the time that a look takes: while messages come, the poll is in time and nobody waits.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);

    // Committed later than written: a transaction may have taken its time.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Remembered = TimeSpan.FromHours(2);
    private const int Most = 100_000;

    private const string Recent = "select subject_id, at from cancelled_subjects where at > $1";

    private readonly ConcurrentDictionary<Guid, byte> _subjects = new();
    private readonly Queue<(Guid Subject, DateTimeOffset At)> _byAge = new();
    private readonly SemaphoreSlim _reading = new(1, 1);
    private DateTimeOffset? _newest;
    private long _readAt = long.MinValue / 2;
    private long _usedAt = long.MinValue / 2;

    /// <summary>
    /// Whether somebody needs the news: a run is going on, or a message came lately. Nobody reads them for an idle
    /// process.
    /// </summary>
    internal bool IsUsed =>
        Environment.TickCount64 - Volatile.Read(ref _usedAt) < Idle.TotalMilliseconds || running.Runs.Any();

    /// <inheritdoc />
    public void Dispose() => _reading.Dispose();

    /// <summary>
    /// Makes sure that <see cref="Contains"/> is not much more than a second behind: the first message after a quiet
    /// time reads the news before it begins, together with all who come meanwhile.
    /// While the database cannot be read what is known counts, and commits meet the cancellation by themselves.
    /// </summary>
    internal async ValueTask FreshenAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _usedAt, Environment.TickCount64);
        if (IsFresh)
            return;
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (!IsFresh)
                await ReadNewsAsync(cancellationToken);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException)
        {
            // Said by the poll, which goes on while messages come. The next message does not wait for the same answer
            // again.
            Volatile.Write(ref _readAt, Environment.TickCount64);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Whether a subject is known to be cancelled.</summary>
    public bool Contains(Guid subject) => !_subjects.IsEmpty && _subjects.ContainsKey(subject);

    /// <summary>
    /// Whether a subject was cancelled, as the database knows it at this moment: without the second that
    /// <see cref="Contains"/> may be behind.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<bool> ReadAsync(Guid subject, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select exists (select from cancelled_subjects where subject_id = $1)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subject });
        Failpoint.Hit("steps.before_read_cancelled", Outside.Database);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Reads the news; called once a second while there are runs.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read; what is known stays known.</exception>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            await ReadNewsAsync(cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    private bool IsFresh => Environment.TickCount64 - Volatile.Read(ref _readAt) < Fresh.TotalMilliseconds;

    private async Task ReadNewsAsync(CancellationToken cancellationToken)
    {
        var began = Environment.TickCount64;
        var since = time.GetUtcNow() - Remembered;
        if (_newest - Overlap is { } reached && reached > since)
            since = reached;
        await using var command = database.CreateCommand(Recent);
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset> { TypedValue = since, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (subject, at) = (reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1));
            if (_newest is null || at > _newest)
                _newest = at;
            if (!_subjects.TryAdd(subject, 0))
                continue;
            _byAge.Enqueue((subject, at));
            running.Cancel(subject);
        }

        while (_byAge.TryPeek(out var oldest) && (_byAge.Count > Most || oldest.At < time.GetUtcNow() - Remembered))
            _subjects.TryRemove(_byAge.Dequeue().Subject, out _);
        Volatile.Write(ref _readAt, began);
    }
}
