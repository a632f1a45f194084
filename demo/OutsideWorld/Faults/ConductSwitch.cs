namespace Orders.OutsideWorld.Faults;

/// <summary>The behaviour of one part of the world, changeable while it runs. Safe for use by many threads.</summary>
/// <typeparam name="TMode">The modes of that part.</typeparam>
public sealed class ConductSwitch<TMode>
    where TMode : struct, Enum
{
    private readonly Lock gate = new();
    private volatile Count count = new(new Conduct<TMode>(default));

    internal ConductSwitch()
    {
    }

    /// <summary>Raised inside <see cref="Set"/>, so that the change has taken place when that returns.</summary>
    internal event Action<Conduct<TMode>>? Changed;

    /// <summary>The behaviour now in force.</summary>
    public Conduct<TMode> Current => count.Conduct;

    /// <summary>Puts a behaviour in force and counts from one again; what arrives after this returns meets it.</summary>
    /// <param name="conduct">The new behaviour.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not within 0–1, or the delay is negative.</exception>
    public void Set(Conduct<TMode> conduct)
    {
        ArgumentNullException.ThrowIfNull(conduct);
        ArgumentOutOfRangeException.ThrowIfNegative(conduct.Share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(conduct.Share, 1m);
        ArgumentOutOfRangeException.ThrowIfLessThan(conduct.Delay, TimeSpan.Zero);
        lock (gate)
        {
            count = new Count(conduct);
            Changed?.Invoke(conduct);
        }
    }

    /// <summary>Counts one arrival.</summary>
    /// <returns>The behaviour to show it, or null when it is to be treated well.</returns>
    internal Conduct<TMode>? Next() => count.Next();

    private sealed class Count(Conduct<TMode> conduct)
    {
        private long arrivals;

        public Conduct<TMode> Conduct { get; } = conduct;

        public Conduct<TMode>? Next() => Conduct.Hits(Interlocked.Increment(ref arrivals)) ? Conduct : null;
    }
}
