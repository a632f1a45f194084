using System.Diagnostics;
using Npgsql;
using Orders.Chaos.Collecting;

namespace Orders.Chaos.Running;

/// <summary>Waits until nothing moves any more.</summary>
public sealed class Rest(NpgsqlDataSource database, BrokerEvidence broker)
{
    // Of what is dead-lettered: redrives that go on, messages still to be taken out of their queue, and steps that say
    // they are dead-lettered and are not in the index yet, or the other way round.
    private static readonly string Moving = $"""
        select (select count(*) from order_progress
                where status in ({StoredCodes.OrderAccepted}, {StoredCodes.OrderProcessing})),
            (select count(*) from outbox where dead_at is null),
            (select count(*) from effects where state = {StoredCodes.EffectPending}),
            (select count(*) from redrives where stage <> {StoredCodes.RedriveDone} and stopped_at is null),
            (select count(*) from failures
                where state not in ({StoredCodes.FailureFailed}, {StoredCodes.FailureGone}) and removed_at is null),
            abs((select count(*) from step_runs
                    where status in ({StoredCodes.StepFailed}, {StoredCodes.StepUncertain}))
                - (select count(distinct (subject_id, step)) from failures
                    where state = {StoredCodes.FailureFailed} and kind = {StoredCodes.FailureKindError}))
        """;

    // In the order of the columns.
    private static readonly string[] What =
    [
        "orders under way",
        "rows in the outbox",
        "effects half done",
        "redrives under way",
        "failures to be taken out of their queue",
        "steps that the index of failures does not have, or the other way round",
    ];

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // The broker's counts are at most 2 s old (deploy/chaos/40-chaos.conf): a zero that stays for longer is one.
    private static readonly TimeSpan OldestCount = TimeSpan.FromSeconds(4);

    /// <summary>What moved at the last look, such as "2 rows in the outbox".</summary>
    public string Moves { get; private set; } = "";

    /// <summary>Waits. A backlog that still gets shorter is slow and not stuck; how long it took is reported.</summary>
    /// <param name="patience">How long without another order coming to its end. What still waits then is the checker's
    /// to name.</param>
    /// <param name="atMost">How long in all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>
    /// How long it took until the last order had ended and the outbox was empty; null when it did not come to that.
    /// </returns>
    public async Task<TimeSpan?> WaitAsync(TimeSpan patience, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        TimeSpan? still = null;
        var (fewest, lastEnd) = (long.MaxValue, TimeSpan.Zero);
        while (watch.Elapsed < atMost && watch.Elapsed < lastEnd + patience)
        {
            var (open, moving) = await LookAsync(cancellationToken);
            if (open < fewest)
                (fewest, lastEnd) = (open, watch.Elapsed);
            if (moving)
                still = null;
            else if ((still ??= watch.Elapsed) + OldestCount < watch.Elapsed)
                return still;
            await Task.Delay(Look, cancellationToken);
        }

        return still;
    }

    private async Task<(long Open, bool Moving)> LookAsync(CancellationToken cancellationToken)
    {
        await using (var command = database.CreateCommand(Moving))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            var open = reader.GetInt64(0);
            Moves = string.Join(
                ", ",
                What.Select((what, i) => (Count: reader.GetInt64(i), what))
                    .Where(w => w.Count > 0)
                    .Select(w => $"{w.Count} {w.what}")
            );
            if (Moves != "")
                return (open, true);
        }

        Moves = string.Join(
            ", ",
            BrokerEvidence
                .Waiting(await broker.CountAsync(cancellationToken))
                .Where(q => q.Value > 0)
                .Select(q => $"{q.Value} messages in {q.Key}")
        );
        return (0, Moves != "");
    }
}
