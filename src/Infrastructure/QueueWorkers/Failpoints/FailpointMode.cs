#if FAILPOINTS
namespace QueueWorkers.Failpoints;

/// <summary>What happens at a failpoint.</summary>
internal enum FailpointMode
{
    /// <summary>The process is gone, as by <c>kill -9</c>: nothing is flushed, closed or said.</summary>
    Kill,

    /// <summary>The connection breaks.</summary>
    Throw,

    /// <summary>The thread stands still for <see cref="FailpointPlan.Delay"/>.</summary>
    Delay,

    /// <summary>
    /// The call is taken to have timed out; at a place after the call it was carried out all the same.
    /// </summary>
    Timeout,
}
#endif
