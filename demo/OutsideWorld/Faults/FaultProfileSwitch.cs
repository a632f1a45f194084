namespace Orders.OutsideWorld.Faults;

/// <summary>The behaviour of one part of the world, changeable while it runs. Safe for use by many threads.</summary>
/// <typeparam name="TMode">The modes of that part.</typeparam>
public sealed class FaultProfileSwitch<TMode>
    where TMode : struct, Enum
{
    private readonly Lock gate = new();
    private volatile Count count = new(new FaultProfile<TMode>(default));

    internal FaultProfileSwitch() { }

    /// <summary>Raised inside <see cref="Set"/>, so that the change has taken place when that returns.</summary>
    internal event Action<FaultProfile<TMode>>? Changed;

    /// <summary>The behaviour now in force.</summary>
    public FaultProfile<TMode> Current => count.FaultProfile;

    /// <summary>
    /// Puts a behaviour in force and counts from one again; what arrives after this returns meets it.
    /// </summary>
    /// <param name="profile">The new behaviour.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not within 0–1, or the delay is negative.</exception>
    public void Set(FaultProfile<TMode> profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        ArgumentOutOfRangeException.ThrowIfNegative(profile.Share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(profile.Share, 1m);
        ArgumentOutOfRangeException.ThrowIfLessThan(profile.Delay, TimeSpan.Zero);
        lock (gate)
        {
            count = new Count(profile);
            Changed?.Invoke(profile);
        }
    }

    /// <summary>Counts one arrival.</summary>
    /// <returns>The behaviour to show it, or null when it is to be treated well.</returns>
    internal FaultProfile<TMode>? Next() => count.Next();

    private sealed class Count(FaultProfile<TMode> profile)
    {
        private long arrivals;

        public FaultProfile<TMode> FaultProfile { get; } = profile;

        public FaultProfile<TMode>? Next() =>
            FaultProfile.Hits(Interlocked.Increment(ref arrivals)) ? FaultProfile : null;
    }
}
