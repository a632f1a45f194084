namespace Orders.Dashboard.Login;

/// <summary>
/// Each check of a password costs a third of a second of processor. One runs and a few wait; more are refused. Who has
/// logged in from the same address before has a lane of their own, which no anonymous flood fills.
/// </summary>
internal sealed class LoginQueue(LoginOptions options) : IDisposable
{
    private readonly Lane _anonymous = new();
    private readonly Lane _familiar = new();

    /// <summary>Waits for a turn; dispose it when the password is checked.</summary>
    /// <returns>The turn; null when too many wait.</returns>
    public async Task<IDisposable?> TryEnterAsync(bool isFamiliar, CancellationToken cancellationToken)
    {
        var lane = isFamiliar ? _familiar : _anonymous;
        if (Interlocked.Increment(ref lane.Inside) > 1 + options.Waiting)
        {
            Interlocked.Decrement(ref lane.Inside);
            return null;
        }

        try
        {
            await lane.Turn.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Interlocked.Decrement(ref lane.Inside);
            throw;
        }

        return new Turn(lane);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _anonymous.Dispose();
        _familiar.Dispose();
    }

    private sealed class Lane : IDisposable
    {
        public readonly SemaphoreSlim Turn = new(1, 1);
        public int Inside;

        public void Dispose() => Turn.Dispose();
    }

    private sealed class Turn(Lane lane) : IDisposable
    {
        public void Dispose()
        {
            lane.Turn.Release();
            Interlocked.Decrement(ref lane.Inside);
        }
    }
}
