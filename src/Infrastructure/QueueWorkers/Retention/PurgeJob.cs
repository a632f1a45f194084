using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Scheduling;

namespace QueueWorkers.Retention;

/// <summary>
/// Deletes rows that are older than they are kept: batch by batch, each its own short transaction, table by table in
/// turns, so that a large backlog of one does not hold up the others, and for a limited time. Dying in between leaves
/// the rest to the next purge.
/// </summary>
public sealed class PurgeJob(
    NpgsqlDataSource database,
    RetentionOptions options,
    RetentionMetrics metrics,
    ILogger<PurgeJob> logger
) : IScheduledJob
{
    /// <inheritdoc />
    public async Task<string> RunAsync(Firing firing, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var purges = options.Rules.Select(rule => new Purge(rule, options.BatchSize)).ToList();
        // One batch of each in any case: a process that was held up at the first line goes on too.
        do
        {
            foreach (var purge in purges.Where(p => p.HasMore))
            {
                var purged = await purge.NextAsync(database, cancellationToken);
                metrics.Purged(purge.Table, purged);
            }
        } while (watch.Elapsed < options.TimeLimit && purges.Exists(p => p.HasMore));

        if (purges.Where(p => p.HasMore).Select(p => p.Table).ToArray() is { Length: > 0 } behind)
            RetentionLog.Behind(logger, options.TimeLimit, string.Join(", ", behind));
        return purges.Sum(p => p.Purged) is 0
            ? "Nothing was old enough."
            : string.Create(
                CultureInfo.InvariantCulture,
                $"Purged {string.Join(", ", purges.Where(p => p.Purged > 0).Select(p => $"{p.Purged} of {p.Table}"))} in {watch.Elapsed.TotalSeconds:0.0} s."
            );
    }

    /// <summary>The purge of one table.</summary>
    private sealed class Purge(RetentionRule rule, int batchSize)
    {
        // By row address, which has one plan: joined by key, a planner with statistics from an emptier day chose to
        // compare each row with each (measured: 12 s a batch of 1,000).
        // The limit is text, not a parameter: the planner then knows that few rows are meant. The age is asked again,
        // for a row that was changed in between.
        private readonly string _sql = $"""
            with gone as (
                delete from {rule.Table} where ctid = any (array(
                    select ctid from {rule.Table} where {rule.Age} >= $1 and {Old(rule)} limit {batchSize}))
                and {Old(rule)}
                returning {rule.Age} as age)
            select count(*), max(age) from gone
            """;

        // Each batch begins where the last one ended: else it would read the dead rows of all batches before it, over
        // and over.
        private DateTimeOffset _from = DateTimeOffset.MinValue;

        public string Table => rule.Table;

        public long Purged { get; private set; }

        public bool HasMore { get; private set; } = true;

        public async Task<long> NextAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
        {
            await using var command = database.CreateCommand(_sql);
            command.Parameters.Add(new NpgsqlParameter { Value = _from, NpgsqlDbType = NpgsqlDbType.TimestampTz });
            command.Parameters.Add(
                new NpgsqlParameter<TimeSpan> { TypedValue = rule.Keep, NpgsqlDbType = NpgsqlDbType.Interval }
            );
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            var purged = reader.GetInt64(0);
            Purged += purged;
            HasMore = purged == batchSize;
            if (purged > 0)
                _from = reader.GetFieldValue<DateTimeOffset>(1);
            return purged;
        }

        private static string Old(RetentionRule rule) =>
            $"{rule.Age} < now() - $2{(rule.Only is null ? "" : $" and {rule.Only}")}";
    }
}
