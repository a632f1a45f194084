using System.Diagnostics;

namespace Orders.Infrastructure.Coalescing;

/// <summary>Waits for a database that is away.</summary>
public static class DatabasePatience
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Repeats something that is safe to repeat until the database takes it. Faults that no wait ends (<see cref="DatabaseFault.MayPass"/>), and the end of the process, come through.</summary>
    /// <param name="action">What is repeated.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="longestRefusal">
    /// How long to wait while the database refuses the statement (<see cref="DatabaseFaultKind.Refused"/>); null for ever. Give a limit where the statement is not the framework's own: it may be wrong.
    /// </param>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public static async Task RunAsync(Func<Task> action, CancellationToken cancellationToken, TimeSpan? longestRefusal = null)
    {
        var began = Stopwatch.GetTimestamp();
        for (var wait = FirstWait; ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, LongestWait.Ticks)))
        {
            try
            {
                await action();
                return;
            }
            catch (Exception fault) when (IsWorthWaitingFor(fault, longestRefusal, began))
            {
                DatabaseFaultMetrics.Count(fault);
                // Spread, or all that wait would log in at the same moment.
                await Task.Delay(wait * (0.75 + (Random.Shared.NextDouble() / 2)), cancellationToken);
            }
        }
    }

    private static bool IsWorthWaitingFor(Exception fault, TimeSpan? longestRefusal, long began) => DatabaseFault.KindOf(fault) switch
    {
        DatabaseFaultKind.Unavailable or DatabaseFaultKind.Conflict => true,
        DatabaseFaultKind.Refused => longestRefusal is null || Stopwatch.GetElapsedTime(began) < longestRefusal,
        _ => false,
    };
}
