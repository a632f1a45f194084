using System.Collections.Concurrent;
using System.Threading.Channels;

namespace QueueWorkers.Idempotency;

/// <summary>
/// Takes note of duplicates that were suppressed. Only they pay for it, and only a few hundred nanoseconds: the note
/// waits in memory for <see cref="DuplicateWriter"/>.
/// A process that dies takes along the notes of its last second; the duplicates themselves were suppressed in the
/// commit, whatever is known about them.
/// </summary>
public sealed class DuplicateEvidence(TimeProvider time)
{
    /// <summary>The most notes in memory. A flood of duplicates is counted in full, but proved by these.</summary>
    internal const int Capacity = 2000;

    private readonly Channel<Duplicate> _notes = Channel.CreateBounded<Duplicate>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite }
    );
    private readonly ConcurrentDictionary<(DateTimeOffset Minute, string Step, DuplicateCause Cause), long> _counts =
        new();

    /// <summary>Notes a duplicate.</summary>
    /// <param name="subject">What it was about.</param>
    /// <param name="step">The step that dropped it; for a repeated post the door.</param>
    /// <param name="effect">The effect it would have had again.</param>
    /// <param name="message">The message; null for a repeated post.</param>
    /// <param name="cause">Why it came.</param>
    public void Add(Guid subject, string step, string effect, Guid? message, DuplicateCause cause)
    {
        var now = time.GetUtcNow();
        _counts.AddOrUpdate(
            (now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute)), step, cause),
            1,
            static (_, count) => count + 1
        );
        _notes.Writer.TryWrite(
            new Duplicate
            {
                At = now,
                SubjectId = subject,
                Step = step,
                Effect = effect,
                MessageId = message,
                Cause = cause,
            }
        );
    }

    /// <summary>Waits for a note.</summary>
    internal ValueTask<bool> WaitAsync(CancellationToken cancellationToken) =>
        _notes.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>Takes what was noted.</summary>
    internal (List<Duplicate> Notes, List<DuplicateCount> Counts) Take()
    {
        var notes = new List<Duplicate>();
        while (_notes.Reader.TryRead(out var note))
            notes.Add(note);
        var counts = new List<DuplicateCount>();
        foreach (var key in _counts.Keys)
        {
            // Additions that come between the two lines start a new count; none is lost.
            if (_counts.TryRemove(key, out var count))
                counts.Add(
                    new DuplicateCount
                    {
                        Minute = key.Minute,
                        Step = key.Step,
                        Cause = key.Cause,
                        Count = count,
                    }
                );
        }

        return (notes, counts);
    }
}
