using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>
/// The keys of <c>suspects</c> in memory, as the last poll saw them, and the killers that this process has found itself.
/// A copy of such a message may never have been lost itself, so nothing in it says that somebody has to be asked.
/// </summary>
public sealed class KnownSuspects
{
    private readonly ConcurrentDictionary<(Guid MessageId, string Step), byte> _own = new();
    private volatile FrozenSet<(Guid MessageId, string Step)> _read = [];

    // An empty dictionary is asked under all of its locks.
    private volatile bool _hasOwn;

    /// <summary>Whether a row is known for a message of a step.</summary>
    /// <param name="messageId">The original message id.</param>
    /// <param name="step">The step.</param>
    public bool Contains(Guid messageId, string step) =>
        (_read.Count > 0 && _read.Contains((messageId, step))) || (_hasOwn && _own.ContainsKey((messageId, step)));

    /// <summary>What a poll has read takes the place of what the last one read.</summary>
    internal void Apply(IEnumerable<(Guid MessageId, string Step)> rows) => _read = rows.ToFrozenSet();

    /// <summary>A killer that this process has found: the next poll may have begun before its row.</summary>
    internal void Add(Guid messageId, string step)
    {
        _own.TryAdd((messageId, step), 0);
        _hasOwn = true;
    }
}
