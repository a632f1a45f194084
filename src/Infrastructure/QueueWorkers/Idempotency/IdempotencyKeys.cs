using Npgsql;

namespace QueueWorkers.Idempotency;

/// <summary>A message and the step that it is for: the key of what a step has done.</summary>
internal readonly record struct MessageKey(Guid MessageId, string Step);

/// <summary>
/// Asks whether the work of messages is done before they are recorded as dead-lettered. The keys are taken, and given
/// back in the same transaction: whoever commits one of the messages waits at its key for this transaction, and then
/// knows what it has recorded; and this one waits for whoever was there first.
/// What is dead-lettered may be redriven, so a key must not stay, unless the effect is done and only its key was purged.
/// </summary>
internal static class IdempotencyKeys
{
    private const string Take = """
        insert into idempotency (message_id, step)
        select distinct t.message_id, t.step from unnest($1::uuid[], $2::text[]) as t(message_id, step)
            order by t.message_id, t.step
        on conflict do nothing returning message_id, step
        """;

    private static readonly string GiveBack = $"""
        delete from idempotency i using unnest($1::uuid[], $2::text[], $3::uuid[]) as t(message_id, step, subject_id)
        where i.message_id = t.message_id and i.step = t.step
            and not exists (select from effects e where e.subject_id = t.subject_id and e.message_id = t.message_id
                and e.step = t.step and e.state = {EffectState.Done:D})
        returning i.message_id, i.step
        """;

    /// <summary>The keys of those messages whose work nobody has done, in the caller's transaction.</summary>
    /// <param name="connection">The open transaction.</param>
    /// <param name="messages">The messages, and their subjects.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<IReadOnlySet<MessageKey>> OpenAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(MessageKey Key, Guid SubjectId)> messages,
        CancellationToken cancellationToken
    )
    {
        await using var take = new NpgsqlCommand(Take, connection);
        take.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. messages.Select(m => m.Key.MessageId)] });
        take.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. messages.Select(m => m.Key.Step)] });
        Failpoint.Hit("steps.before_take_key", Outside.Database);
        var taken = await ReadAsync(take, cancellationToken);
        if (taken.Count == 0)
            return taken;

        (MessageKey Key, Guid SubjectId)[] returned = [.. messages.Where(m => taken.Contains(m.Key))];
        await using var giveBack = new NpgsqlCommand(GiveBack, connection);
        giveBack.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(returned, m => m.Key.MessageId) }
        );
        giveBack.Parameters.Add(
            new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(returned, m => m.Key.Step) }
        );
        giveBack.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(returned, m => m.SubjectId) }
        );
        Failpoint.Hit("steps.before_give_key_back", Outside.Database);
        var open = await ReadAsync(giveBack, cancellationToken);
        Failpoint.Hit("steps.after_give_key_back", Outside.Database);
        return open;
    }

    private static async Task<HashSet<MessageKey>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var keys = new HashSet<MessageKey>();
        Failpoint.Hit("steps.before_read_keys", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            keys.Add(new MessageKey(reader.GetGuid(0), reader.GetString(1)));
        return keys;
    }
}
