using System.Diagnostics;
using Npgsql;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Running;

/// <summary>
/// The operators of a run, who see that something is dead-lettered and do something about it:
/// 1. One looks first and asks for just what it has seen; several at once do not look.
/// 2. Whatever is in the way (another redrive, another count, a dashboard or a database that is away), they ask again
///    after a pause.
/// 3. They follow a redrive to its end. One that has stopped by itself they let go on, whether the fault is over or
///    not.
/// 4. After all faults they redrive until no message is dead-lettered.
/// </summary>
/// <param name="client">How they ask.</param>
/// <param name="database">Where is seen whether anything is dead-lettered.</param>
/// <param name="pause">How long they wait before they ask or look again: a second.</param>
public sealed class Operators(ChaosOperatorClient client, NpgsqlDataSource database, TimeSpan pause)
{
    // The index is some seconds behind the queues, and more while the dashboard itself recovers.
    private readonly TimeSpan _nothingCame = pause * 20;

    // Who reads why it stopped takes a moment.
    private readonly TimeSpan _reading = pause * 2;

    /// <summary>Redrives what a fault dead-letters, by as many hands as its terms say.</summary>
    /// <param name="fault">The fault.</param>
    /// <param name="carriedOut">Ends when the fault does.</param>
    /// <param name="patience">How long without any change before they leave it to the last redrive.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RedriveAsync(
        PlannedFault fault,
        Task carriedOut,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        var terms =
            fault.Redrive ?? throw new ArgumentException($"Fault {fault.Number} dead-letters nothing.", nameof(fault));
        await Task.Delay(terms.After, cancellationToken);
        var step = fault.Type.Target == "smtp" ? "email" : "warehouse";
        await Task.WhenAll(
            Enumerable
                .Range(1, terms.Hands)
                .Select(async hand =>
                {
                    var asked = new RedriveAsked(
                        new RedriveFilter(Step: step),
                        $"chaos, fault {fault.Number}: {step}, operator {hand}",
                        terms.Canary,
                        terms.RatePerSecond,
                        terms.StopPercent
                    );
                    if (
                        await AskAsync(asked, looks: terms.Hands == 1, carriedOut, patience, cancellationToken) is
                        { } redrive
                    )
                        await FollowAsync(redrive, asked.Reason, patience, cancellationToken);
                })
        );
    }

    /// <summary>
    /// Redrives whatever is dead-lettered, wherever it stands, until nothing is; lets open redrives go on first.
    /// </summary>
    /// <param name="patience">How long without anything coming to its end. What is dead-lettered then is the checker's
    /// to name.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How long it took; null when something stayed dead-lettered.</returns>
    public async Task<TimeSpan?> RedriveAllAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        const string Reason = "chaos: whatever is left";
        var watch = Stopwatch.StartNew();
        var (fewest, lastEnd) = (long.MaxValue, TimeSpan.Zero);
        for (; watch.Elapsed < lastEnd + patience; await Task.Delay(pause, cancellationToken))
        {
            if (await client.ListAsync(cancellationToken) is not { } redrives)
                continue;
            var (deadLettered, queues) = await DeadLetteredAsync(cancellationToken);
            var open = redrives.Where(r => !r.IsDone).ToArray();
            if (deadLettered == 0 && open is [])
                return watch.Elapsed;
            var left = deadLettered + open.Sum(r => r.Waiting + r.Sent);
            if (left < fewest)
                (fewest, lastEnd) = (left, watch.Elapsed);
            foreach (var stopped in open.Where(r => r.StoppedBecause is not null))
                await client.ResumeAsync(stopped.Id, Reason, cancellationToken);
            // One at a time: what the open ones have is in the way of a next one, and what they dead-letter again comes
            // to it.
            foreach (var queue in open is [] ? queues : [])
                await client.RedriveAsync(
                    new RedriveAsked(
                        new RedriveFilter(Queue: queue),
                        Reason,
                        Canary: 5,
                        RatePerSecond: 100,
                        StopPercent: 20
                    ),
                    cancellationToken
                );
        }

        return null;
    }

    /// <summary>
    /// How much is dead-lettered, by the index or by the steps, whoever knows of more; and the places of the index that
    /// hold failures.
    /// </summary>
    public async Task<(long DeadLettered, IReadOnlyList<string> Queues)> DeadLetteredAsync(
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"""
            select greatest((select count(*) from failures
                    where state in ({StoredCodes.FailureFailed}, {StoredCodes.FailureRedriving})),
                (select count(*) from step_runs
                    where status in ({StoredCodes.StepFailed}, {StoredCodes.StepUncertain}))),
                array(select distinct queue from failures where state = {StoredCodes.FailureFailed} order by queue)
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt64(0), reader.GetFieldValue<string[]>(1));
    }

    private async Task<Guid?> AskAsync(
        RedriveAsked asked,
        bool looks,
        Task carriedOut,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        Stopwatch? over = null;
        for (; over is null || over.Elapsed < patience; await Task.Delay(pause, cancellationToken))
        {
            // Before the question, not after it: what the fault has dead-lettered at its very end counts.
            over ??= carriedOut.IsCompleted ? Stopwatch.StartNew() : null;
            var seen = looks ? await client.LookAsync(asked, cancellationToken) : null;
            if (seen is { IsGood: false })
                continue;
            var answer = seen is { Total: 0 }
                ? seen
                : await client.RedriveAsync(asked with { Expect = seen?.Total }, cancellationToken);
            if (answer is { IsGood: true, Redrive: { } made })
                return made;
            if (answer is { Code: "nothing-matches" } or { Total: 0 } && over?.Elapsed > _nothingCame)
                return null;
        }

        return null;
    }

    private async Task FollowAsync(Guid redrive, string reason, TimeSpan patience, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        RedriveTotals? last = null;
        for (; watch.Elapsed < patience; await Task.Delay(pause, cancellationToken))
        {
            if (await client.FindAsync(redrive, cancellationToken) is not { } now)
                continue;
            if (now.IsDone)
                return;
            if (now != last)
                watch.Restart();
            last = now;
            if (now.StoppedBecause is null)
                continue;
            await Task.Delay(_reading, cancellationToken);
            await client.ResumeAsync(redrive, reason, cancellationToken);
        }
    }
}
