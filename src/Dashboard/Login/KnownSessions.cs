using System.Collections.Concurrent;
using System.Data.Common;
using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Login;

/// <summary>
/// Sessions seen in the last seconds, so that not every fragment asks the database who is looking; and while the
/// database is away, those seen in the last minutes may go on looking:
/// the page that explains an outage must not be lost to it. Changing anything always asks.
/// </summary>
internal sealed class KnownSessions(UnknownCredentialLane unknown, TimeProvider time)
{
    /// <summary>How long a page that changes nothing believes what was seen.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Outage = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const int Most = 1000;

    private readonly ConcurrentDictionary<string, (OperatorAccount Operator, DateTimeOffset At)> _seen = new();

    /// <summary>The operator of a session; null when there is no such session, or it has ended.</summary>
    /// <param name="secret">What the browser keeps.</param>
    /// <param name="ask">Asks the database.</param>
    /// <param name="fresh">
    /// How old an answer may be for one who only looks; while the database is away it may be older. Null for one who
    /// changes something: the database is asked, and its fault is the caller's.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="UnknownCredentialsBusyException">Too many unknown sessions wait for the database.</exception>
    public async Task<OperatorAccount?> FindAsync(
        string secret,
        Func<CancellationToken, Task<OperatorAccount?>> ask,
        TimeSpan? fresh,
        CancellationToken cancellationToken
    )
    {
        var seen = _seen.TryGetValue(secret, out var entry);
        var age = time.GetUtcNow() - entry.At;
        if (seen && age < fresh)
            return entry.Operator;
        OperatorAccount? found;
        try
        {
            found = seen
                ? await ask(cancellationToken).WaitAsync(Patience, cancellationToken)
                : await unknown.AskAsync(ask, cancellationToken);
        }
        catch (Exception away)
            when (away is DbException or TimeoutException && fresh is not null && seen && age < Outage)
        {
            return entry.Operator;
        }

        if (found is null)
            _seen.TryRemove(secret, out _);
        else
        {
            if (_seen.Count >= Most)
                _seen.Clear();
            _seen[secret] = (found, time.GetUtcNow());
        }

        return found;
    }

    /// <summary>Forgets all sessions of an operator whose account was changed.</summary>
    public void ForgetAllOf(string name)
    {
        foreach (var (secret, (known, _)) in _seen)
        {
            if (known.Name == name)
                _seen.TryRemove(secret, out _);
        }
    }

    /// <summary>Forgets a session that was ended.</summary>
    public void Forget(string secret) => _seen.TryRemove(secret, out _);
}
