using System.Diagnostics;
using Npgsql;
using Orders.Chaos.Collecting;
using Orders.Chaos.Reporting;

namespace Orders.Chaos.Running;

/// <summary>Waits until nothing moves any more.</summary>
public sealed class Rest(MovingEvidence database, BrokerEvidence broker)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // The broker's counts are at most 2 s old (deploy/chaos/40-chaos.conf): a zero that stays for longer is one.
    private static readonly TimeSpan OldestCount = TimeSpan.FromSeconds(4);

    /// <summary>Waits. A backlog that still gets shorter is slow and not stuck; how long it took is reported.</summary>
    /// <param name="patience">How long without another order coming to its end. What still waits then is named.</param>
    /// <param name="atMost">How long in all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>
    /// How long it took until the last order had ended and the outbox was empty; null when it did not come to that, and
    /// what still moved then.
    /// </returns>
    public async Task<(TimeSpan? After, IReadOnlyList<MovingPart> Moving)> WaitAsync(
        TimeSpan patience,
        TimeSpan atMost,
        CancellationToken cancellationToken
    )
    {
        var watch = Stopwatch.StartNew();
        TimeSpan? still = null;
        IReadOnlyList<MovingPart> last = [];
        var (fewest, lastEnd) = (long.MaxValue, TimeSpan.Zero);
        while (watch.Elapsed < atMost && watch.Elapsed < lastEnd + patience)
        {
            var moving = last = await LookAsync(cancellationToken);
            var open = moving
                .Where(m => m.What.StartsWith(MovingEvidence.Orders, StringComparison.Ordinal))
                .Sum(m => m.Count);
            if (open < fewest)
                (fewest, lastEnd) = (open, watch.Elapsed);
            if (moving.Count > 0)
                still = null;
            else if ((still ??= watch.Elapsed) + OldestCount < watch.Elapsed)
                return (still, []);
            await Task.Delay(Look, cancellationToken);
        }

        if (still is not null)
            return (still, []);
        MovingPart[] end =
        [
            .. await RowsAsync(cancellationToken),
            .. await QueuesAsync(cancellationToken),
            .. await StatementsAsync(cancellationToken),
        ];
        // It may have come to rest since. That it had not is still to be reported.
        return (null, end.Length > 0 ? end : last);
    }

    // The broker is asked when the database is at rest: right after a fault it may not answer yet.
    private async Task<IReadOnlyList<MovingPart>> LookAsync(CancellationToken cancellationToken)
    {
        var moving = await RowsAsync(cancellationToken);
        return moving.Count > 0 ? moving : await QueuesAsync(cancellationToken);
    }

    private Task<IReadOnlyList<MovingPart>> RowsAsync(CancellationToken cancellationToken) =>
        AskAsync("the database", () => database.ReadAsync(cancellationToken), cancellationToken);

    private Task<IReadOnlyList<MovingPart>> StatementsAsync(CancellationToken cancellationToken) =>
        AskAsync("the database", () => database.ReadStatementsAsync(cancellationToken), cancellationToken);

    private Task<IReadOnlyList<MovingPart>> QueuesAsync(CancellationToken cancellationToken) =>
        AskAsync(
            "the broker",
            async () =>
                [
                    .. BrokerEvidence
                        .Waiting(await broker.CountAsync(cancellationToken))
                        .Where(q => q.Value > 0)
                        .Select(q => new MovingPart($"queue {q.Key}", q.Value, "")),
                ],
            cancellationToken
        );

    // One that never came back is a finding of the run, and not the end of it.
    private static async Task<IReadOnlyList<MovingPart>> AskAsync(
        string whom,
        Func<Task<IReadOnlyList<MovingPart>>> readAsync,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await readAsync();
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException or NpgsqlException
                && !cancellationToken.IsCancellationRequested
            )
        {
            return [new MovingPart($"{whom} does not answer", 1, exception.Message)];
        }
    }
}
