namespace Orders.Chaos.Checking;

/// <summary>At rest nothing is under way, and what is parked stands where operators find it.</summary>
internal static class RestInvariants
{
    public static IEnumerable<Invariant> All { get; } =
    [
        new("the outbox is empty", Meaning.Stuck, _ => 1, b => b.Evidence.Unsent.Select(id => $"message {id} is due in the outbox and was not sent")),

        new("the queues are empty", Meaning.Stuck, b => b.Evidence.Waiting.Count, b =>
            b.Evidence.Waiting.Where(q => q.Value > 0).Select(q => $"queue {q.Key} holds {q.Value} messages")),

        new("each step has its queues", Meaning.Lost, b => b.Evidence.Waiting.Count, b =>
            b.Evidence.MissingQueues.Select(q => $"queue {q} does not exist")),

        new("no effect is left half done", Meaning.Stuck, _ => 1, b =>
            b.Evidence.OpenEffects.Where(e => !e.IsUncertain).Select(e => $"order {e.OrderId}: effect '{e.Name}' was begun and neither done nor taken back")),

        new("a message for each parked step", Meaning.Lost, b => b.Evidence.OpenSteps.Count(s => s.IsParked), b =>
            from s in b.Evidence.OpenSteps
            where s.IsParked && !b.Evidence.Parked.Any(m => m.Place == $"{s.Step}_error" && m.OrderId == s.OrderId)
            select $"order {s.OrderId}: {s.Step} is {s.Status} and no message of it stands in {s.Step}_error"),

        new("a parked step for each message", Meaning.Wrong, b => b.Evidence.Parked.Count, b =>
            from m in b.Evidence.Parked
            where !b.Evidence.OpenSteps.Any(s => s.IsParked && m.Place == $"{s.Step}_error" && m.OrderId == s.OrderId)
            select $"order {m.OrderId?.ToString() ?? "unknown"}: message {m.MessageId?.ToString() ?? "without an id"} stands in {m.Place} and no step says that it is parked"),

        new("a parked message stands in one place", Meaning.Duplicate, b => b.Evidence.Parked.Count, b =>
            from m in b.Evidence.Parked
            where m.MessageId is not null
            group m by (m.Place, m.MessageId) into same
            where same.Count() > 1
            select $"order {same.First().OrderId}: message {same.Key.MessageId} stands {same.Count()} times in {same.Key.Place}"),

        new("the index of failures is what stands in the queues", Meaning.Wrong, b => b.Evidence.Index?.Count ?? 0, b =>
        {
            if (b.Evidence.Index is not { } index)
                return [];
            var indexed = index.Select(f => (f.Place, f.MessageId)).ToHashSet();
            var standing = b.Evidence.Parked.Select(m => (m.Place, m.MessageId)).ToHashSet();
            return indexed.Except(standing).Select(f => $"message {f.MessageId} is in the index of failures and not in {f.Place}")
                .Concat(standing.Except(indexed).Select(m => $"message {m.MessageId} stands in {m.Place} and not in the index of failures"));
        }),
    ];
}
