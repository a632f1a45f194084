using System.Diagnostics.CodeAnalysis;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>Where a row goes: an exchange and a routing key, which is empty for a fan-out.</summary>
internal readonly record struct Destination(string Exchange, string RoutingKey)
{
    public static Destination Of(OutboxMessage message) => new(message.Exchange, message.RoutingKey);
}

/// <summary>
/// Destinations that take nothing, because a queue behind them is full or silent. The broker confirms a message of a
/// fan-out only when all of its queues have it, so with each try the other queues get a copy, and a try that nobody
/// answers holds up all that is sent with it. Hence a list, in the memory of each process and shared as rows
/// (<see cref="SharedTrials"/>):
/// 1. A batch of which a destination has confirmed nothing, and refused or not answered something, puts it on the list.
/// 2. Rows for it that were never sent go through a lane of their own, once: the other queues get them, and nobody else
///    waits for the confirms.
/// 3. Rows that were sent before wait in the table. A trial, one at a time over all processes, sends one of them. It
///    fails: the next one follows after twice the time. It is confirmed or refused: the destination leaves the list,
///    and its rows go as all do.
/// A process that dies forgets the list. Its trials are made by the others, who have them on their lists or
/// <see cref="Adopt"/> them.
/// </summary>
internal sealed class SlowDestinations(TimeProvider time) : IDisposable
{
    /// <summary>The wait before the first trial.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);
    private const int MostMisses = 3;

    // For so long the growth of the waits is remembered of a destination that nobody had a row for.
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<Destination, Mark> _marks = [];
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly OfferQueue _offered = new();
    private volatile bool _isEmpty = true;

    // Monotonic: a clock that is set back would hold every trial up for as long.
    private TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>Whether all destinations take what they get, which is nearly always.</summary>
    public bool IsEmpty => _isEmpty;

    /// <summary>Whether a message goes to a destination on the list.</summary>
    public bool Contains(OutboxMessage message) => IsOnList(message, out _);

    /// <summary>The same, with why.</summary>
    public bool IsOnList(OutboxMessage message, [NotNullWhen(true)] out string? reason)
    {
        reason = null;
        if (_isEmpty)
            return false;
        lock (_lock)
        {
            if (!_marks.TryGetValue(Destination.Of(message), out var mark) || !mark.IsOnList)
                return false;
            reason = mark.Reason;
            return true;
        }
    }

    /// <summary>Learns from a batch. Returns what came onto the list or left it.</summary>
    /// <param name="batch">What was sent.</param>
    /// <param name="outcomes">What became of it.</param>
    /// <param name="isTrial">Whether it was a trial: only a trial that fails makes the next one wait longer.</param>
    public IReadOnlyList<(Destination Destination, string? Reason)> Learn(
        IReadOnlyList<OutboxMessage> batch,
        PublishOutcome[] outcomes,
        bool isTrial
    )
    {
        if (_isEmpty && Array.TrueForAll(outcomes, o => o.Status == PublishStatus.Confirmed))
            return [];
        var changes = new List<(Destination, string?)>();
        lock (_lock)
        {
            foreach (var group in batch.Zip(outcomes).GroupBy(p => Destination.Of(p.First), p => p.Second))
            {
                var wasOnList = _marks.GetValueOrDefault(group.Key) is { IsOnList: true };
                if (group.Any(o => o.Status == PublishStatus.Confirmed))
                {
                    _marks.Remove(group.Key);
                    if (wasOnList)
                        changes.Add((group.Key, null));
                    continue;
                }

                PublishOutcome[] failed =
                [
                    .. group.Where(o => o.Status is PublishStatus.Full or PublishStatus.Silent).Take(1),
                ];
                // The broker has judged the trial: its row waits as refused rows do. Left on the list, the destination
                // would be due for the next trial at once, and all its rows would be refused to the end.
                if (failed.Length == 0 && isTrial && group.Any(o => o.Status == PublishStatus.Refused))
                {
                    _marks.Remove(group.Key);
                    if (wasOnList)
                        changes.Add((group.Key, null));
                    continue;
                }

                if (failed.Length == 0 || (wasOnList && !isTrial))
                    continue;
                var reason = failed[0].Error ?? "it did not confirm in time";
                Add(group.Key, reason);
                if (!wasOnList)
                    changes.Add((group.Key, reason));
            }

            _isEmpty = !_marks.Values.Any(m => m.IsOnList);
        }

        if (!_isEmpty)
            Wake();
        return changes;
    }

    /// <summary>Offers a message that was never sent to the lane. What does not fit is found when its lease has
    /// ended.</summary>
    /// <param name="message">The message.</param>
    /// <param name="age">How long ago its lease began.</param>
    public void Offer(OutboxMessage message, TimeSpan age)
    {
        var since = Environment.TickCount64 - (long)age.TotalMilliseconds;
        if (_offered.TryAdd(new RelayFeed.Fresh(message, since)))
            Wake();
    }

    /// <summary>Takes what was offered and may still be sent.</summary>
    public List<OutboxMessage> TakeOffered(int most, TimeSpan oldest)
    {
        var batch = new List<OutboxMessage>();
        var bytes = 0L;
        while (batch.Count < most && bytes < OutboxOptions.BatchBytes && _offered.TryTake(out var fresh))
        {
            if (fresh.Age >= oldest)
                continue;
            batch.Add(fresh.Message);
            bytes += fresh.Message.Body.Length;
        }

        return batch;
    }

    /// <summary>Waits until something was offered, or a trial is due, which it returns.</summary>
    public async Task<Destination?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan? wait = null;
            lock (_lock)
            {
                foreach (var (destination, mark) in _marks.Where(m => m.Value.IsOnList))
                {
                    var left = mark.TrialAt - Now;
                    if (left <= TimeSpan.Zero)
                        return destination;
                    wait = wait < left ? wait : left;
                }
            }

            if (!_offered.IsEmpty)
                return null;
            if (wait is { } next)
                await _changed.WaitAsync(next, cancellationToken);
            else
                await _changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Takes over a destination of the shared list whose trial is overdue, because those who had it have died.
    /// </summary>
    /// <returns>Whether it is new here.</returns>
    public bool Adopt(Destination destination, string reason)
    {
        lock (_lock)
        {
            if (_marks.TryGetValue(destination, out var known) && known.IsOnList)
                return false;
            _marks[destination] = new Mark(
                reason,
                FirstWait,
                Now,
                Misses: 0,
                IsOnList: true,
                IsShared: true,
                PutBackAt: null
            );
            _isEmpty = false;
        }

        Wake();
        return true;
    }

    /// <summary>The list is shared from now on: the next trial is in so long.</summary>
    public void Share(Destination destination, TimeSpan left) =>
        Change(destination, mark => mark with { IsShared = true, TrialAt = Now + left, Misses = 0 });

    /// <summary>Another relay makes the next trial, or has just made one.</summary>
    public void Postpone(Destination destination, TimeSpan left) =>
        Change(destination, mark => mark with { TrialAt = Now + (left > LookAgain ? left : LookAgain) });

    /// <summary>
    /// No row was to be had for the trial: a poller holds them, or there is none any more.
    /// </summary>
    /// <returns>Whether that was so several times: nobody waits for it, and the next batch finds out.</returns>
    public bool Miss(Destination destination, TimeSpan left)
    {
        var isLast = false;
        Change(
            destination,
            mark =>
            {
                isLast = mark.Misses + 1 >= MostMisses;
                return mark with { TrialAt = Now + left, Misses = mark.Misses + 1, IsOnList = !isLast };
            }
        );
        return isLast;
    }

    /// <summary>
    /// Remembers that a row was put back to wait for a destination; false when the destination is not on the list.
    /// </summary>
    public bool NotePutBack(Destination destination)
    {
        lock (_lock)
        {
            if (!_marks.TryGetValue(destination, out var mark) || !mark.IsOnList)
                return false;
            _marks[destination] = mark with { PutBackAt = Now };
            return true;
        }
    }

    /// <summary>
    /// Whether all relays know of a destination on the list, or it is not on the list: only then does a missing row
    /// say that it is back.
    /// </summary>
    public bool IsShared(Destination destination)
    {
        lock (_lock)
            return !_marks.TryGetValue(destination, out var mark) || mark.IsShared;
    }

    /// <summary>Another relay has found a destination back.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="hasPutBack">Whether this one has put back rows for it that may wait still.</param>
    /// <returns>Whether it was on the list.</returns>
    public bool Forget(Destination destination, out bool hasPutBack)
    {
        lock (_lock)
        {
            var was = _marks.Remove(destination, out var mark) && mark.IsOnList;
            hasPutBack = mark?.PutBackAt > Now - SharedTrials.RowsWait;
            _isEmpty = !_marks.Values.Any(m => m.IsOnList);
            return was;
        }
    }

    /// <summary>The destinations of the list that are shared and stand in no row any more: another relay has found them
    /// back.</summary>
    public Destination[] MissingIn(HashSet<Destination> rows)
    {
        lock (_lock)
            return
            [
                .. _marks
                    .Where(m => m.Value is { IsOnList: true, IsShared: true } && !rows.Contains(m.Key))
                    .Select(m => m.Key),
            ];
    }

    /// <inheritdoc />
    public void Dispose() => _changed.Dispose();

    private void Add(Destination destination, string reason)
    {
        var now = Now;
        var wait =
            _marks.TryGetValue(destination, out var last) && now - last.TrialAt < Remembered
                ? TimeSpan.FromTicks(Math.Min(last.Wait.Ticks * 2, LongestWait.Ticks))
                : FirstWait;
        _marks[destination] = new Mark(
            reason,
            wait,
            now + wait,
            Misses: 0,
            IsOnList: true,
            IsShared: last is { IsShared: true, IsOnList: true },
            last?.PutBackAt
        );
    }

    private void Change(Destination destination, Func<Mark, Mark> change)
    {
        lock (_lock)
        {
            if (_marks.TryGetValue(destination, out var mark))
                _marks[destination] = change(mark);
            _isEmpty = !_marks.Values.Any(m => m.IsOnList);
        }

        Wake();
    }

    private void Wake()
    {
        if (_changed.CurrentCount > 0)
            return;
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke it in the same moment, which is as good.
        }
    }

    private sealed record Mark(
        string Reason,
        TimeSpan Wait,
        TimeSpan TrialAt,
        int Misses,
        bool IsOnList,
        bool IsShared,
        TimeSpan? PutBackAt
    );
}
