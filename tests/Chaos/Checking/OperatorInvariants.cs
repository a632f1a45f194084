namespace Orders.Chaos.Checking;

/// <summary>
/// What people do to a running system: redrives end, add up and keep their word, and a worker that is asked to go goes.
/// </summary>
internal static class OperatorInvariants
{
    public static IEnumerable<Invariant> All { get; } =
    [
        new(
            "redrives come to an end",
            Meaning.Stuck,
            b => b.Evidence.Redrives.Count,
            b =>
                from r in b.Evidence.Redrives
                where !r.Totals.IsDone
                select $"redrive {r.Totals.Id} stands in {r.Totals.Stage} with {r.Totals.Waiting} waiting and {r.Totals.Sent} sent: {r.Totals.StoppedBecause ?? "nobody stopped it"}"
        ),
        new(
            "redrives add up",
            Meaning.Wrong,
            b => b.Evidence.Redrives.Count,
            b => from r in b.Evidence.Redrives from problem in Problems(r) select $"redrive {r.Totals.Id}: {problem}"
        ),
        new(
            "a dead-lettered message is redriven once",
            Meaning.Duplicate,
            b => Redriven(b).Count(),
            b =>
                from m in Redriven(b)
                where m.State is not (RedrivenState.Waiting or RedrivenState.Skipped)
                group m by m.FailureId into same
                where same.Count() > 1
                select $"order {same.First().OrderId}: failure {same.Key} of {same.First().Step} was sent again by {same.Count()} redrives"
        ),
        new(
            "what a redrive says is done is done",
            Meaning.Lost,
            b => Redriven(b).Count(m => m.State == RedrivenState.Done),
            b =>
                from m in Redriven(b)
                where
                    m.State == RedrivenState.Done
                    && m.OrderId is { } id
                    && b.Orders.TryGetValue(id, out var order)
                    && !HasEffect(b, order, m.Step)
                select $"order {m.OrderId}: its {m.Step} was redriven and is said to be done, and nobody has seen its effect"
        ),
        new(
            "nothing stays dead-lettered after the last redrive",
            Meaning.Stuck,
            b => b.Evidence.AllRedriven ? b.Evidence.Orders.Count : 0,
            b =>
                b.Evidence.AllRedriven
                    ? b
                        .Evidence.Orders.Where(o => o.End == OrderEnd.Failed)
                        .Select(o => $"order {o.Id} is still dead-lettered")
                        .Concat(
                            b.Evidence.DeadLettered.Select(m =>
                                $"order {m.OrderId?.ToString() ?? "unknown"}: message {m.MessageId} still stands in {m.Place}"
                            )
                        )
                    : []
        ),
        new(
            "workers that are asked to stop end with 0",
            Meaning.Wrong,
            b => b.Evidence.Stops.Count,
            b =>
                from s in b.Evidence.Stops
                where s.ExitCode != 0
                select $"{s.Service} ended with {s.ExitCode}, {s.Took.TotalSeconds:0.0} s after SIGTERM"
        ),
    ];

    private static IEnumerable<RedrivenMessage> Redriven(EvidenceIndex books) =>
        books.Evidence.Redrives.SelectMany(r => r.Messages);

    private static IEnumerable<string> Problems(Redrive redrive)
    {
        var (totals, messages) = (redrive.Totals, redrive.Messages);
        if (totals.Sum != totals.Total)
            yield return $"its counts make {totals.Sum}, its total is {totals.Total}";
        if (redrive.Promised is { } promised && promised != totals.Total)
            yield return $"{promised} messages were promised, its total is {totals.Total}";
        int[] shown = [totals.Waiting, totals.Sent, totals.Done, totals.FailedAgain, totals.Skipped];
        foreach (var state in Enum.GetValues<RedrivenState>())
        {
            var stored = messages.Count(m => m.State == state);
            if (stored != shown[(int)state])
                yield return $"{shown[(int)state]} are said to be {state}, {stored} are";
        }
    }

    // By the ledgers where there is one; only its own word there is for a step that nobody outside sees.
    private static bool HasEffect(EvidenceIndex books, StoredOrder order, string? step) =>
        step switch
        {
            "email" => books.MailsTo[order.Address].Any(),
            "warehouse" => books.CallsFor.Contains(order.Id),
            "invoice" => books.InvoicesOf.Contains(order.Id),
            _ => true,
        };
}
