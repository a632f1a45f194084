using System.Diagnostics;

namespace QueueWorkers.Failpoints;

/// <summary>
/// Named places before and after each call that leaves the process. A test makes one of them kill the process, throw,
/// wait, or throw a time-out after the call was carried out, and then looks at what became of the work. Only test
/// builds have them: without the constant <c>FAILPOINTS</c> (Release, images) the compiler leaves out every call.
/// </summary>
/// <remarks>
/// A name is written once, at its place, as <c>area.before_…</c> or <c>area.after_…</c>. The architecture tests read
/// all names from the compiled code, refuse a call to the outside in a method without a failpoint, and the matrix of
/// crash points runs every name they find. How one is armed: <c>FailpointPlan</c>.
/// </remarks>
public static class Failpoint
{
    /// <summary>The place. Does nothing unless a test has armed it.</summary>
    /// <param name="name">Its name: a literal, used nowhere else.</param>
    /// <param name="call">What the call before or after it talks to, so that a made-up fault is of the kind which that
    /// call throws.</param>
    [Conditional("FAILPOINTS")]
    public static void Hit(string name, Outside call)
    {
#if FAILPOINTS
        FailpointPlan.Hit(name, call);
#endif
    }

    /// <summary>
    /// Lets a test that has started this process arm failpoints, by its environment or its standard input.
    /// </summary>
    [Conditional("FAILPOINTS")]
    public static void Listen()
    {
#if FAILPOINTS
        FailpointConsole.Listen();
#endif
    }
}
