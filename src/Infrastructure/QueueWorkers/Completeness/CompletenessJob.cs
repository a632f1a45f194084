using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Scheduling;

namespace QueueWorkers.Completeness;

/// <summary>
/// Finds accepted subjects that lack an effect after their deadline, or have one twice. It trusts no flag of the
/// pipeline: it compares the tables that different commits have written.
/// 1. Gaps that an operator has asked to close get their message once more; so do silent ones where that is configured.
/// 2. Subjects with a gap, or whose deadline lay ahead when they were met, are looked at again.
/// 3. From the mark on, each subject is looked at once, when its deadline has passed: the cost follows the rate of new
///    ones, not the size of the tables.
/// Each batch is a transaction in which findings and mark stand or fall together: dying in between repeats a batch, and
/// skips none.
/// </summary>
public sealed class CompletenessJob(
    NpgsqlDataSource database,
    ICompletenessSource source,
    CompletenessOptions options,
    RelayFeed relay,
    CompletenessMetrics metrics,
    ILogger<CompletenessJob> logger
) : IScheduledJob
{
    private const int Batch = 1000;
    private const int MostLogged = 20;

    /// <inheritdoc />
    public async Task<string> RunAsync(Firing firing, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var tally = new Tally();
        await RepeatAsync(watch, () => ReemitAsync(tally, cancellationToken));
        await RepeatAsync(watch, () => LookAgainAsync(tally, cancellationToken));
        var caughtUp = await RepeatAsync(watch, () => GoOnAsync(tally, cancellationToken));

        tally
            .Fresh.Take(MostLogged)
            .ToList()
            .ForEach(f => CompletenessLog.Found(logger, f.Kind, f.Effect, f.SubjectId, f.Detail));
        if (tally.Fresh.Count > MostLogged)
            CompletenessLog.MoreFound(logger, tally.Fresh.Count - MostLogged);
        metrics.Checked(source.Kind, tally.Looked);
        tally.Fresh.ForEach(f => metrics.Found(f.Kind, f.Effect));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Looked at {tally.Looked} {source.Kind} in {watch.Elapsed.TotalSeconds:0.0} s: {tally.Fresh.Count} new gaps; {tally.Reemitted} messages emitted again{(caughtUp ? "" : "; time was up, the next check goes on")}."
        );
    }

    // Until a batch was not full, or the time is up.
    private async Task<bool> RepeatAsync(Stopwatch watch, Func<Task<int>> batch)
    {
        while (watch.Elapsed < options.TimeLimit)
        {
            if (await batch() < Batch)
                return true;
        }

        return false;
    }

    private async Task<int> GoOnAsync(Tally tally, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var mark = await CompletenessQueries.TakeMarkAsync(connection, source.Kind, cancellationToken);
        var next = await source.NextAsync(connection, mark, options.Deadline, Batch, cancellationToken);
        if (next.Count > 0)
        {
            var now = DatabaseClock.UtcNow;
            await CompletenessQueries.LookLaterAsync(
                connection,
                [.. next.Where(s => s.CheckAt > now)],
                cancellationToken
            );
            await LookAsync(
                connection,
                [.. next.Where(s => s.CheckAt <= now).Select(s => s.Id)],
                tally,
                cancellationToken
            );
            await CompletenessQueries.MoveMarkAsync(
                connection,
                source.Kind,
                next[^1].Id,
                next.Count,
                cancellationToken
            );
        }

        await transaction.CommitAsync(CancellationToken.None);
        return next.Count;
    }

    private async Task<int> LookAgainAsync(Tally tally, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var open = await CompletenessQueries.TakeOpenAsync(connection, Batch, cancellationToken);
        await LookAsync(connection, open, tally, cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return open.Length;
    }

    private async Task LookAsync(
        NpgsqlConnection connection,
        Guid[] subjects,
        Tally tally,
        CancellationToken cancellationToken
    )
    {
        if (subjects.Length == 0)
            return;
        var findings = await source.InspectAsync(connection, subjects, cancellationToken);
        tally.Fresh.AddRange(
            await CompletenessQueries.RecordAsync(
                connection,
                subjects,
                [.. findings.Where(f => !f.IsEarly)],
                options.Recheck,
                cancellationToken
            )
        );
        var later = DatabaseClock.UtcNow + options.Recheck;
        await CompletenessQueries.LookLaterAsync(
            connection,
            [
                .. findings
                    .Where(f => f.IsEarly)
                    .Select(f => f.SubjectId)
                    .Distinct()
                    .Order()
                    .Select(id => new AcceptedSubject(id, later)),
            ],
            cancellationToken
        );
        tally.Looked += subjects.Length;
    }

    private async Task<int> ReemitAsync(Tally tally, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var asked = await CompletenessQueries.TakeAskedAsync(connection, options.Reemit, Batch, cancellationToken);
        var messages = new List<OutboxMessage>();
        foreach (var (subject, effect) in asked)
        {
            var message = await source.MessageForAsync(connection, subject, effect, cancellationToken);
            if (message is not null)
                messages.Add(message);
            await CompletenessQueries.ReemittedAsync(
                connection,
                subject,
                effect,
                message is null
                    ? "The message cannot be made again: what leads to it is missing, or was not kept."
                    : $"Message {message.MessageId} is on its way to {message.Exchange}.",
                cancellationToken
            );
        }

        await OutboxWriter.InsertAsync(connection, messages, cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        messages.ForEach(relay.Offer);
        tally.Reemitted += messages.Count;
        return asked.Count;
    }

    private sealed class Tally
    {
        public int Looked { get; set; }

        public int Reemitted { get; set; }

        public List<Finding> Fresh { get; } = [];
    }
}
