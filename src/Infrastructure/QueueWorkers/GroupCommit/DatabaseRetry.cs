using Npgsql;

namespace QueueWorkers.GroupCommit;

/// <summary>Waits for a database that is away.</summary>
public static class DatabaseRetry
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Repeats something that is safe to repeat until the database takes it. Other faults, and the end of the process, come through.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public static async Task RunAsync(Func<Task> action, CancellationToken cancellationToken)
    {
        for (var wait = FirstWait; ; wait = TimeSpan.FromTicks(Math.Min(wait.Ticks * 2, LongestWait.Ticks)))
        {
            try
            {
                await action();
                return;
            }
            catch (Exception fault) when (DatabaseFault.IsUnavailable(fault) || fault is PostgresException { SqlState: "40001" or "40P01" or "55P03" })
            {
                await Task.Delay(wait, cancellationToken);
            }
        }
    }
}
