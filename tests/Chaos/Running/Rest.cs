using System.Diagnostics;
using Npgsql;
using Orders.Chaos.Collecting;

namespace Orders.Chaos.Running;

/// <summary>Waits until nothing moves any more.</summary>
public sealed class Rest(NpgsqlDataSource database, BrokerEvidence broker)
{
    private const string Moving = """
        select (select count(*) from order_progress where status in (0, 1)), (select count(*) from outbox where dead_at is null), (select count(*) from effects where state = 1)
        """;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // The broker's counts are at most so old (collect_statistics_interval): a zero that stays for longer is one.
    private static readonly TimeSpan OldestCount = TimeSpan.FromSeconds(11);

    /// <summary>Waits.</summary>
    /// <param name="atMost">How long. What still moves then is the checker's to name.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>How long it took until the last order had ended and the outbox was empty; null when it did not come to that.</returns>
    public async Task<TimeSpan?> WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        TimeSpan? still = null;
        while (watch.Elapsed < atMost)
        {
            if (!await IsStillAsync(cancellationToken))
                still = null;
            else if ((still ??= watch.Elapsed) + OldestCount < watch.Elapsed)
                return still;
            await Task.Delay(Look, cancellationToken);
        }

        return still;
    }

    private async Task<bool> IsStillAsync(CancellationToken cancellationToken)
    {
        await using (var command = database.CreateCommand(Moving))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            if (reader.GetInt64(0) + reader.GetInt64(1) + reader.GetInt64(2) > 0)
                return false;
        }

        return BrokerEvidence.Waiting(await broker.CountAsync(cancellationToken)).Values.All(n => n == 0);
    }
}
