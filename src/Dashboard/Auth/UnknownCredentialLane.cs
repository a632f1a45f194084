namespace Orders.Dashboard.Auth;

/// <summary>
/// Keys and sessions that nobody has shown before are asked for two at a time, so that a flood of made-up ones does not
/// take the connections of operators who are known.
/// </summary>
internal sealed class UnknownCredentialLane : IDisposable
{
    private const int Questions = 2;

    // A longer queue would only grow.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(Questions);

    /// <summary>Asks in turn.</summary>
    /// <exception cref="UnknownCredentialsBusyException">Too many wait.</exception>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        if (!await _turn.WaitAsync(Patience, cancellationToken))
            throw new UnknownCredentialsBusyException();
        try
        {
            return await ask(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _turn.Dispose();
}

/// <summary>Too many unknown keys and sessions wait for the database: this one is not asked for.</summary>
internal sealed class UnknownCredentialsBusyException()
    : Exception("Too many unknown keys or sessions are being looked up.")
{
    /// <summary>When to come back, in seconds.</summary>
    public const string RetryAfter = "2";
}
