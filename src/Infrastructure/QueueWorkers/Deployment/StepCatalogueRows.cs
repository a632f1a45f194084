using Npgsql;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace QueueWorkers.Deployment;

/// <summary>Writes which steps exist and who subscribes to what, in the transaction of the deployment.</summary>
internal static class StepCatalogueRows
{
    // Rows that stay as they are, are not touched: nobody waits for a deployment that changes nothing.
    private const string Retire = "update step_catalogue set active = false where active and step <> all($1)";

    private const string Write = """
        insert into step_catalogue as c (step, bit, position, consumes, depends_on, required, concurrency,
            max_concurrency, rates, active)
        values ($1, (select 1 << coalesce(max(round(log(2, bit))::int) + 1, 0) from step_catalogue), $2, $3, $4, $5, $6,
            $7, $8, true)
        on conflict (step) do update set position = excluded.position, consumes = excluded.consumes,
            depends_on = excluded.depends_on, required = excluded.required, concurrency = excluded.concurrency,
            max_concurrency = excluded.max_concurrency, rates = excluded.rates, active = true
        where (c.position, c.consumes, c.depends_on, c.required, c.concurrency, c.max_concurrency, c.rates, c.active)
            is distinct from (excluded.position, excluded.consumes, excluded.depends_on, excluded.required,
                excluded.concurrency, excluded.max_concurrency, excluded.rates, true)
        """;

    private const string Subscribe = """
        with wanted as (select * from unnest($1::text[], $2::text[]) as t(exchange, queue)),
        ended as (delete from subscriptions s where not exists (select from wanted w
            where w.exchange = s.exchange and w.queue = s.queue) returning s.exchange, s.queue),
        begun as (insert into subscriptions (exchange, queue) select exchange, queue from wanted
            on conflict do nothing)
        select exchange, queue from ended
        """;

    /// <summary>
    /// Writes the steps. A step keeps its bit for ever, also when it leaves the catalogue: old subjects were measured
    /// with it.
    /// </summary>
    /// <remarks>Must commit as a whole: a process that accepts subjects adds the required steps up to what a subject
    /// has to go through.</remarks>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        StepCatalogue catalogue,
        CancellationToken cancellationToken
    )
    {
        await using (var retire = new NpgsqlCommand(Retire, connection))
        {
            retire.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. catalogue.Steps.Select(s => s.Name)] }
            );
            await retire.ExecuteNonQueryAsync(cancellationToken);
        }

        for (var position = 0; position < catalogue.Steps.Count; position++)
        {
            var step = catalogue.Steps[position];
            await using var command = new NpgsqlCommand(Write, connection);
            command.Parameters.Add(new() { Value = step.Name });
            command.Parameters.Add(new() { Value = position });
            command.Parameters.Add(new() { Value = step.Consumes.Select(MessageName.ExchangeOf).ToArray() });
            command.Parameters.Add(
                new()
                {
                    Value = (object?)step.Policy.DependsOn?.Name ?? DBNull.Value,
                    NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text,
                }
            );
            command.Parameters.Add(new() { Value = step.Policy.IsRequired });
            command.Parameters.Add(new() { Value = step.Policy.Concurrency });
            command.Parameters.Add(new() { Value = step.Policy.MaxConcurrency });
            command.Parameters.Add(new() { Value = RateLimit.Format(step.Policy.Rates) });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Replaces the subscriptions: what the configuration no longer names is no longer published to. Its queue stays,
    /// with what is in it.
    /// </summary>
    /// <returns>Those that have ended.</returns>
    public static async Task<IReadOnlyList<Subscription>> SubscribeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<Subscription> wanted,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Subscribe, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(s => s.Exchange)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. wanted.Select(s => s.Queue)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ended = new List<Subscription>();
        while (await reader.ReadAsync(cancellationToken))
            ended.Add(new Subscription { Exchange = reader.GetString(0), Queue = reader.GetString(1) });
        return ended;
    }

    /// <summary>
    /// Every step there ever was, and every exchange that one of them consumes or that has a subscriber: a message of
    /// an earlier version may still be on its way there. Empty before the first deployment.
    /// </summary>
    public static async Task<(IReadOnlyList<string> Steps, IReadOnlyList<string> Exchanges)> ReadAsync(
        NpgsqlDataSource database,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            select array(select step from step_catalogue order by position, step),
                array(select unnest(consumes) from step_catalogue union select exchange from subscriptions order by 1)
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetFieldValue<string[]>(0), reader.GetFieldValue<string[]>(1));
    }
}
