namespace QueueWorkers.Consuming.Limits;

/// <summary>
/// Bytes that may be in use at once. Whoever wants more than are left waits, in the order of asking, so that a large
/// message is not overtaken for ever by small ones. What is larger than the whole budget takes all of it.
/// </summary>
internal sealed class ByteBudget(long most)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiting> _waiting = new();
    private long _used;

    /// <summary>The most bytes that were in use at once.</summary>
    public long Peak { get; private set; }

    /// <summary>Takes bytes; disposing the result gives them back.</summary>
    public async ValueTask<IDisposable> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var share = new Share(this, Math.Min(bytes, most));
        LinkedListNode<Waiting> node;
        lock (_lock)
        {
            if (_waiting.Count == 0 && _used + share.Bytes <= most)
            {
                Use(share.Bytes);
                return share;
            }

            node = _waiting.AddLast(new Waiting(share.Bytes, new(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        await using var ended = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token),
            node.Value.Turn
        );
        try
        {
            await node.Value.Turn.Task;
            return share;
        }
        catch
        {
            lock (_lock)
            {
                if (node.List is not null)
                    _waiting.Remove(node);
                Next();
            }

            throw;
        }
    }

    private void GiveBack(long bytes)
    {
        lock (_lock)
        {
            _used -= bytes;
            Next();
        }
    }

    private void Next()
    {
        while (_waiting.First is { } first && _used + first.Value.Bytes <= most)
        {
            _waiting.RemoveFirst();
            // One that has given up meanwhile has taken nothing.
            if (first.Value.Turn.TrySetResult())
                Use(first.Value.Bytes);
        }
    }

    private void Use(long bytes)
    {
        _used += bytes;
        Peak = Math.Max(Peak, _used);
    }

    private sealed record Waiting(long Bytes, TaskCompletionSource Turn);

    private sealed class Share(ByteBudget budget, long bytes) : IDisposable
    {
        private int _given;

        public long Bytes => bytes;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _given, 1) == 0)
                budget.GiveBack(bytes);
        }
    }
}
