namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>
/// Which deliveries of a channel are settled: all up to one, and some beyond a gap. Deliveries are numbered from 1.
/// </summary>
internal sealed class SettledTags
{
    private readonly HashSet<ulong> _beyond = [];
    private ulong _upTo;

    /// <summary>Notes that a delivery was acked or given back.</summary>
    public void Settle(ulong tag)
    {
        if (tag != _upTo + 1)
        {
            if (tag > _upTo)
                _beyond.Add(tag);
            return;
        }

        _upTo = tag;
        while (_beyond.Count > 0 && _beyond.Remove(_upTo + 1))
            _upTo++;
    }

    /// <summary>
    /// How many of the tags may be acked by naming the last of them and all before it: with them, everything up to
    /// there is settled.
    /// </summary>
    /// <param name="tags">Tags that are not settled yet, in ascending order.</param>
    public int InRowWith(IReadOnlyList<ulong> tags)
    {
        var (row, count) = (_upTo, 0);
        while (true)
        {
            if (count < tags.Count && tags[count] == row + 1)
                count++;
            else if (!_beyond.Contains(row + 1))
                return count;
            row++;
        }
    }
}
