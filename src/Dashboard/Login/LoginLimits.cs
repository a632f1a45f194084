namespace Orders.Dashboard.Login;

/// <summary>
/// Counts wrong passwords by name and address, and by address alone. An anonymous caller elsewhere has another address,
/// and so locks nobody out. Names that do not exist are counted like others, so that a refusal does not tell which do.
/// Kept in memory: an anonymous caller causes no write, and a restart forgives (ADR 102).
/// </summary>
internal sealed class LoginLimits(LoginOptions options, TimeProvider time)
{
    // Each count of a name has cost a check of a third of a second: within a lock period there are not so many.
    private const int MostCounts = 20_000;
    private const int MostFamiliar = 1000;
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(2);

    // Half of the queue: one address leaves room for others.
    private readonly int _mostAtOnce = (1 + options.Waiting) / 2;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string? Name, string Address), Count> _counts = [];
    private readonly HashSet<(string Name, string Address)> _familiar = [];

    /// <summary>Whether the name has logged in from the address since the process started.</summary>
    public bool IsFamiliar(string name, string address)
    {
        lock (_lock)
            return _familiar.Contains((name, address));
    }

    /// <summary>
    /// Counts a login that is about to be checked: a hundred at once are a hundred tries. Each that may go on is ended
    /// with <see cref="End"/>.
    /// </summary>
    /// <returns>How long to wait; null when the password may be checked.</returns>
    public TimeSpan? TryBegin(string name, string address)
    {
        lock (_lock)
        {
            var own = _counts.GetValueOrDefault((name, address));
            if (own is not null && WaitOf(own, options.Tries) is { } locked)
                return locked;
            // The name's count is made last: a refused address makes no more of them.
            var whole = CountOf((null, address));
            // Somebody else at the same address does not lock out who was here before.
            if (!_familiar.Contains((name, address)))
            {
                if (WaitOf(whole, options.TriesPerAddress) is { } refused)
                    return refused;
                if (whole.Running >= _mostAtOnce)
                    return Shortly;
            }

            if (own is not null && own.Failed + own.Running >= options.Tries)
                return Shortly;
            // Before the other one is looked up again: making room spares only those that run.
            whole.Running++;
            own = CountOf((name, address));
            own.Running++;
            return null;
        }
    }

    /// <summary>Counts what came of a login.</summary>
    /// <param name="name">The name.</param>
    /// <param name="address">The address.</param>
    /// <param name="right">Whether the password was right; null when it was not checked.</param>
    /// <returns>Whether a lock period has begun with it.</returns>
    public LoginLock End(string name, string address, bool? right)
    {
        lock (_lock)
        {
            var (own, whole) = (_counts[(name, address)], _counts[(null, address)]);
            own.Running--;
            whole.Running--;
            if (right is null)
                return LoginLock.None;
            if (right is true)
            {
                own.Failed = 0;
                if (_familiar.Count >= MostFamiliar)
                    _familiar.Clear();
                _familiar.Add((name, address));
                return LoginLock.None;
            }

            var (ownLocks, allLocks) = (Fail(own, options.Tries), Fail(whole, options.TriesPerAddress));
            return allLocks ? LoginLock.Address
                : ownLocks ? LoginLock.NameAtAddress
                : LoginLock.None;
        }
    }

    private Count CountOf((string? Name, string Address) whose)
    {
        if (_counts.TryGetValue(whose, out var count))
            return count;
        if (_counts.Count >= MostCounts)
        {
            // An attacker with many addresses makes it forget the oldest; nobody is refused for want of room.
            foreach (
                var (old, _) in _counts
                    .Where(c => c.Value.Running == 0)
                    .OrderBy(c => c.Value.Until)
                    .Take(MostCounts / 10)
                    .ToArray()
            )
                _counts.Remove(old);
        }

        return _counts[whose] = new Count();
    }

    private TimeSpan? WaitOf(Count count, int most)
    {
        var left = count.Until - time.GetUtcNow();
        if (left <= TimeSpan.Zero)
            count.Failed = 0;
        return count.Failed >= most ? left : null;
    }

    // The first wrong one begins a period, the last one that is allowed begins the lock period.
    private bool Fail(Count count, int most)
    {
        var now = time.GetUtcNow();
        if (count.Until <= now)
            count.Failed = 0;
        count.Failed++;
        if (count.Failed == 1 || count.Failed == most)
            count.Until = now + options.LockOut;
        return count.Failed == most;
    }

    private sealed class Count
    {
        public int Failed { get; set; }

        public int Running { get; set; }

        public DateTimeOffset Until { get; set; }
    }
}

/// <summary>The lock period that a wrong password has begun.</summary>
internal enum LoginLock
{
    /// <summary>None, or it had begun before.</summary>
    None,

    /// <summary>The address is refused for this name.</summary>
    NameAtAddress,

    /// <summary>The address is refused for every name.</summary>
    Address,
}
