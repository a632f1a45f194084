namespace QueueWorkers.Steps;

/// <summary>
/// Something outside that a step cannot do without, and when it is taken for down. Part of a step's policy; steps that
/// name the same dependency share its breaker.
/// </summary>
/// <param name="Name">Its name, such as <c>smtp</c>.</param>
/// <param name="Faults">
/// The faults that are its own: no connection, no answer in time, "not now". A refusal of one message is not among
/// them, or one bad address would stop everybody.
/// </param>
/// <remarks>
/// It is taken to have answered when a run is committed that did its effect, and when the step says so
/// (<see cref="PermanentFaultException.IsAnswer"/>). Every other end of a run says nothing about it: the run may have
/// failed before its call, or have found nothing to do. Such a run is not counted, and a trial that ends so is made
/// again with another message.
/// </remarks>
public sealed record Dependency(string Name, params IReadOnlyList<Type> Faults)
{
    /// <summary>The share of calls that fail by its fault at which the breaker opens. Default: half.</summary>
    public double FailureRatio { get; init; } = 0.5;

    /// <summary>The least number of calls in the window that says anything. Default: 4.</summary>
    public int MinimumCalls { get; init; } = 4;

    /// <summary>Over what time calls are counted. Default: 20 seconds.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long after opening it is tried with one message; doubles with each trial that fails. Default: 3 seconds.
    /// </summary>
    public TimeSpan Cooldown { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Where that doubling ends. Default: 30 seconds.</summary>
    public TimeSpan LongestCooldown { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Faults with which it says itself that it serves nobody: a refused login, a used-up quota. One of them opens the
    /// breaker, and none consumes an attempt. Default: none.
    /// </summary>
    public IReadOnlyList<Type> Outages { get; init; } = [];

    /// <summary>Whether a fault is the dependency's.</summary>
    public bool IsAtFault(Exception fault) => Faults.Any(type => type.IsInstanceOfType(fault)) || IsOutage(fault);

    /// <summary>Whether a fault says that it serves nobody.</summary>
    public bool IsOutage(Exception fault) => Outages.Any(type => type.IsInstanceOfType(fault));
}
