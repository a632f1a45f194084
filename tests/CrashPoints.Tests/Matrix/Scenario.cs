using Orders.CrashPoints.Tests.Lanes;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>How a process is brought to a failpoint.</summary>
/// <param name="Host">The process that comes by there.</param>
internal sealed record Scenario(Func<Lane, HostProcess> Host)
{
    /// <summary>At how many hits the failpoint is tried; 1 where a process comes by once in its life.</summary>
    public int Hits { get; init; } = 2;

    /// <summary>
    /// Whether the process comes by whatever becomes of the order, some time later: by the clock, or with a message
    /// that nobody waits for.
    /// </summary>
    public bool FiresLater { get; init; }

    /// <summary>
    /// Whether an order brings the process there once only: then as many are posted as hits are asked for.
    /// </summary>
    public bool IsOncePerOrder { get; init; }

    /// <summary>Sets the stage, before the failpoint is armed.</summary>
    public Func<Lane, Task> Before { get; init; } = _ => Task.CompletedTask;

    /// <summary>Begins what has to be armed first.</summary>
    public Action<Lane> Begin { get; init; } = _ => { };

    /// <summary>Sets the stage for each order, before it is posted.</summary>
    public Action<Lane> BeforeEach { get; init; } = _ => { };

    /// <summary>What the client posts.</summary>
    public Func<PostedOrder> Order { get; init; } = () => new PostedOrder();

    /// <summary>
    /// What the client does with an order that was accepted, once, whatever becomes of the process meanwhile.
    /// </summary>
    public Func<Lane, PostedOrder, Task> Next { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>
    /// What happens to the order after it was accepted; repeated until the failpoint has fired, and once more in the
    /// end, when it must succeed.
    /// </summary>
    public Func<Lane, PostedOrder, Task>? Then { get; init; }

    /// <summary>Clears the stage, after the failpoint has fired.</summary>
    public Func<Lane, Task> After { get; init; } = _ => Task.CompletedTask;
}
