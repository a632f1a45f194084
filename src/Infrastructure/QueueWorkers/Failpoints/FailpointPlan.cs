#if FAILPOINTS
using System.Diagnostics;

namespace QueueWorkers.Failpoints;

/// <summary>
/// Which failpoint does what: <c>api.after_commit=kill@1</c> kills the process when it comes to that place for the
/// first time. Several are separated by semicolons.
/// </summary>
internal static class FailpointPlan
{
    /// <summary>How long <see cref="FailpointMode.Delay"/> takes.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(300);

    // One read per place and hit when nothing is armed.
    private static volatile Armed[] _armed = [];

    /// <summary>Replaces the plan; hits are counted from now on.</summary>
    /// <param name="plan">Such as <c>relay.after_confirm=throw@2</c>; empty for none.</param>
    /// <exception cref="FormatException">It cannot be read.</exception>
    public static void Arm(string plan) =>
        _armed = [
            .. plan.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(Armed.Parse),
        ];

    /// <summary>A process has come to a place.</summary>
    public static void Hit(string name, Outside call)
    {
        foreach (var armed in _armed)
        {
            if (armed.Name == name && armed.IsDue())
                Act(armed, call);
        }
    }

    private static void Act(Armed armed, Outside call)
    {
        FailpointConsole.Fired(armed.Name);
        switch (armed.Mode)
        {
            case FailpointMode.Kill:
                using (var self = Process.GetCurrentProcess())
                    self.Kill();
                // The signal is on its way; not one more line of this thread's work may run.
                Thread.Sleep(System.Threading.Timeout.Infinite);
                break;
            case FailpointMode.Delay:
                Thread.Sleep(Delay);
                break;
            default:
                throw FailpointFault.Of(call, armed.Name, timedOut: armed.Mode == FailpointMode.Timeout);
        }
    }

    private sealed class Armed(string name, FailpointMode mode, int at)
    {
        private int _hits;

        public string Name => name;

        public FailpointMode Mode => mode;

        public static Armed Parse(string text)
        {
            var parts = text.Split('=', '@');
            return
                parts.Length == 3
                && Enum.TryParse<FailpointMode>(parts[1], ignoreCase: true, out var mode)
                && int.TryParse(parts[2], out var at)
                && at > 0
                ? new Armed(parts[0], mode, at)
                : throw new FormatException(
                    $"Expected a failpoint such as api.after_commit=kill@1 (modes: {string.Join(", ", Enum.GetNames<FailpointMode>()).ToLowerInvariant()}), found '{text}'."
                );
        }

        public bool IsDue() => Interlocked.Increment(ref _hits) == at;
    }
}
#endif
