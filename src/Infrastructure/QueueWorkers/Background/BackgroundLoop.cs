using System.Diagnostics;

namespace QueueWorkers.Background;

/// <summary>
/// Work in the background that nobody awaits, and without which the process only looks alive: commits that never come,
/// a step that takes nothing from its queue any more.
/// An exception that leaves it ends the process at once, with the exception on standard error. That costs what a crash
/// costs, which nothing is lost by; a silent end would cost everything that waits for it. Loops of hosted services are
/// watched by <c>LoopWatch</c>, which ends the process in an orderly way.
/// </summary>
public static class BackgroundLoop
{
    /// <summary>Runs it on the thread pool.</summary>
    /// <param name="name">What it is, for whoever finds the process dead.</param>
    /// <param name="loop">The work. It may end; it may not throw.</param>
    public static Task Run(string name, Func<Task> loop) => Task.Run(() => GuardAsync(name, loop));

    private static async Task GuardAsync(string name, Func<Task> loop)
    {
        // Whoever started it, perhaps in a request or a run: its spans belong to nobody's trace.
        Activity.Current = null;
        try
        {
            await loop();
        }
#pragma warning disable CA1031 // Not swallowed: it ends the process.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            Environment.FailFast(
                $"'{name}' has ended by an exception, and nothing in this process would begin it again; the process is ended, so that a new one does.",
                fault
            );
        }
    }
}
