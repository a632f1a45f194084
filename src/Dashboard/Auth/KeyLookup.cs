using System.Collections.Concurrent;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>
/// Finds the operator of a key. The database is asked each time: a revoked key is dead at once. Only a key that was
/// right the last time does not wait for those that nobody knows.
/// </summary>
internal sealed class KeyLookup(
    Func<string, CancellationToken, Task<OperatorAccount?>> find,
    UnknownCredentialLane unknown
)
{
    private const int MostKnown = 1000;

    // By hash: the keys themselves are not kept.
    private readonly ConcurrentDictionary<string, byte> _right = new();

    /// <summary>Asks the database.</summary>
    public KeyLookup(OperatorStore operators, UnknownCredentialLane unknown)
        : this(operators.FindByKeyAsync, unknown) { }

    /// <summary>The operator; null when there is none.</summary>
    /// <exception cref="System.Data.Common.DbException">The database cannot be asked.</exception>
    /// <exception cref="UnknownCredentialsBusyException">Too many unknown keys wait for it.</exception>
    public async Task<OperatorAccount?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var hash = Convert.ToHexString(OperatorKey.HashOf(key));
        var found = _right.ContainsKey(hash)
            ? await find(key, cancellationToken)
            : await unknown.AskAsync(token => find(key, token), cancellationToken);
        if (found is null)
        {
            _right.TryRemove(hash, out _);
            return null;
        }

        if (_right.Count >= MostKnown)
            _right.Clear();
        _right.TryAdd(hash, 0);
        return found;
    }
}
