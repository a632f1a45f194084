using Orders.Infrastructure.Coalescing;

namespace Orders.Infrastructure.Controls;

/// <summary>
/// Tells messages that found the retry budget used up when to come again: one after the other, over all replicas, so that together they never circulate faster than
/// <see cref="PerSecond"/>, however many wait. One message is deferred the more rarely the longer it waits (<see cref="Backoff"/>).
/// Dying here wastes a moment of the schedule: nobody comes in it.
/// </summary>
internal sealed class RetrySchedule(string dependency, PermitLeases leases)
{
    /// <summary>Messages that come again in a second, over all replicas.</summary>
    public const int PerSecond = 50;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(16);

    // Nobody waits longer for a place in the line than this, doubled with each deferral: if the dependency turns out to bear more, a backlog is back soon, and then waits in the queue.
    private static readonly TimeSpan FirstHorizon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestHorizon = TimeSpan.FromMinutes(16);

    /// <summary>In how long the message should come again.</summary>
    /// <param name="messageId">The original message id.</param>
    /// <param name="deferrals">How often it was deferred before.</param>
    /// <param name="cancellationToken">Ends the wait for a database that is away.</param>
    public async ValueTask<TimeSpan> NextAsync(Guid messageId, int deferrals, CancellationToken cancellationToken)
    {
        var horizon = Backoff.After(FirstHorizon, LongestHorizon, deferrals, messageId);
        var request = new PermitRequest($"retries of {dependency}", RateLimit.PerSecond(PerSecond), 1, PermitRequest.OnlyAReservation) { Horizon = horizon };
        Permits? permits = null;
        await DatabasePatience.RunAsync(async () => permits = await leases.CommitAsync(request), cancellationToken);
        var (place, backoff) = (permits!.ComeAgainAfter!.Value, Backoff.After(Shortest, LongestBackoff, deferrals, messageId));
        return place > backoff ? place : backoff;
    }
}
