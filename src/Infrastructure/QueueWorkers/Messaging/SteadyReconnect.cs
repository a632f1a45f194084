using MassTransit;

namespace QueueWorkers.Messaging;

/// <summary>
/// When a step's endpoint connects again after it lost its broker: one to three seconds later, the first time as the
/// thousandth, and for as long as the process lives.
/// </summary>
/// <remarks>
/// MassTransit's own policy never forgets: each loss in the life of a process lengthens the wait before the next
/// connection, up to 30 s, however long the process worked well in between, and its limit is a thousand (ADR 84). There
/// is no setting for it; <see cref="SteadyBusFactory"/> builds a bus whose host has this policy.
/// The wait is drawn, or all workers of a broker that comes back would knock in the same moment.
/// </remarks>
internal sealed class SteadyReconnect : IRetryPolicy
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Every fault is retried. MassTransit's policy gives up for ever on a refused login and on any fault that it does
    /// not list:
    /// the endpoint stays without a consumer until the process ends, although the password is put right a moment later.
    /// </summary>
    public bool IsHandled(Exception exception) => true;

    /// <inheritdoc />
    public RetryPolicyContext<T> CreatePolicyContext<T>(T context)
        where T : class, PipeContext => new Life<T>(this, context);

    /// <inheritdoc />
    public void Probe(ProbeContext context) => context.CreateScope("steadyReconnect");

    /// <summary>The wait before the next attempt.</summary>
    internal static TimeSpan Draw() => Shortest + (Random.Shared.NextDouble() * (Longest - Shortest));

    // The life of one endpoint; its token ends with the endpoint.
    private sealed class Life<T>(SteadyReconnect policy, T context) : RetryPolicyContext<T>
        where T : class, PipeContext
    {
        private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken
        );

        public T Context => context;

        public bool CanRetry(Exception exception, out RetryContext<T> retryContext)
        {
            retryContext = new Wait<T>(policy, context, exception, 1, _end.Token);
            return policy.IsHandled(exception);
        }

        public Task RetryFaulted(Exception exception) => Task.CompletedTask;

        public void Cancel() => _end.Cancel();

        public void Dispose() => _end.Dispose();
    }

    private sealed class Wait<T>(
        SteadyReconnect policy,
        T context,
        Exception exception,
        int attempt,
        CancellationToken end
    ) : RetryContext<T>
        where T : class, PipeContext
    {
        public T Context => context;

        public CancellationToken CancellationToken => end;

        public Exception Exception => exception;

        public int RetryAttempt => attempt;

        public int RetryCount => attempt;

        public TimeSpan? Delay { get; } = Draw();

        public Type ContextType => typeof(T);

        public bool CanRetry(Exception exception, out RetryContext<T> retryContext)
        {
            retryContext = new Wait<T>(policy, context, exception, attempt + 1, end);
            return policy.IsHandled(exception);
        }

        public Task RetryFaulted(Exception exception) => Task.CompletedTask;

        public Task PreRetry() => Task.CompletedTask;
    }
}
