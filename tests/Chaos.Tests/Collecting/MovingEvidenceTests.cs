using Npgsql;
using Orders.Chaos.Collecting;
using Orders.Testing;
using Orders.Workers;

namespace Orders.Chaos.Tests.Collecting;

/// <summary>What still moves is read from the tables of a deployed installation.</summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[Parallelizable(ParallelScope.Self)]
public sealed class MovingEvidenceTests
{
    private static readonly Guid Order = Guid.Parse("00000000-0000-7000-8000-000000000001");
    private static readonly Guid Another = Guid.Parse("00000000-0000-7000-8000-000000000002");

    private OrdersSystem _system = null!;
    private NpgsqlDataSource _database = null!;
    private MovingEvidence _moving = null!;

    [OneTimeSetUp]
    public async Task Deploy()
    {
        _system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        _database = NpgsqlDataSource.Create(_system.Database.ConnectionString);
        _moving = new MovingEvidence(_database);
    }

    [OneTimeTearDown]
    public async Task Remove()
    {
        if (_database is not null)
            await _database.DisposeAsync();
        if (_system is not null)
            await _system.DisposeAsync();
    }

    [SetUp]
    public Task Empty() =>
        _system.Database.ExecuteAsync("truncate order_progress, outbox, effects, redrives, failures, step_runs");

    [Test]
    public async Task A_database_at_rest_names_nothing()
    {
        await _system.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts,
                dead_at) values (gen_random_uuid(), gen_random_uuid(), 'email', '', 'j', '{}', '', true, 10, now())
            """
        );
        await RunAsync(Order, "invoice", StoredCodes.StepFailed);
        await FailAsync(Order, "invoice", StoredCodes.FailureFailed);
        Assert.That(await ReadAsync(), Is.Empty);
    }

    [Test]
    public async Task Orders_are_named_by_the_steps_that_they_are_without()
    {
        var required = await _system.RequiredStepsAsync();
        var email = await _system.Database.ScalarAsync<int>("select bit from step_catalogue where step = 'email'");
        await _system.Database.ExecuteAsync(
            "insert into order_progress (order_id, required, done, failed) values ($1, $3, $3 - $4, 0), ($2, $3, $3 - $4, 0), (gen_random_uuid(), $3, $3, 0)",
            Order,
            Another,
            required,
            email
        );
        Assert.That(
            await ReadAsync(),
            Is.EqualTo(new[] { $"order_progress, processing, without email: 2 (first order {Order})" })
        );
    }

    [Test]
    public async Task Rows_of_the_outbox_are_named_by_where_they_go()
    {
        await _system.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts,
                due_at, last_error) values
                ($1, $1, 'email', '', 'j', '{}', '', true, 2, now(), 'no queue'),
                ($2, $2, 'email', '', 'j', '{}', '', true, 0, now() + interval '1 hour', null)
            """,
            Order,
            Another
        );
        Assert.That(
            await ReadAsync(),
            Is.EqualTo(
                new[] { $"outbox, to email: 2 (1 due, up to 2 refusals, first row {Order}, last error: no queue)" }
            )
        );
    }

    [Test]
    public async Task Effects_redrives_and_messages_under_way_are_named()
    {
        await _system.Database.ExecuteAsync(
            $"""
            insert into effects (subject_id, effect, message_id, step, state)
                values ($1, 'email', $1, 'email', {StoredCodes.EffectPending})
            """,
            Order
        );
        await _system.Database.ExecuteAsync(
            $$"""
            insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent, total)
                values ($1, {{StoredCodes.RedriveDone}} - 1, 'zoe', 'test', '{}', 1, 1, 1, 1)
            """,
            Another
        );
        await FailAsync(Order, "email", StoredCodes.FailureRedriving);
        Assert.That(
            await ReadAsync(),
            Is.EqualTo(
                new[]
                {
                    $"effects, pending email: 1 (0 with a lease, first order {Order})",
                    $"failures, of email_error in state {StoredCodes.FailureRedriving}: 1 (first order {Order})",
                    $"redrives, in stage {StoredCodes.RedriveDone - 1}: 1 (first {Another})",
                }
            )
        );
    }

    [Test]
    public async Task A_dead_lettered_step_without_a_failure_is_named()
    {
        await RunAsync(Order, "email", StoredCodes.StepFailed);
        await RunAsync(Another, "email", StoredCodes.StepUncertain);
        await FailAsync(Another, "email", StoredCodes.FailureFailed);
        Assert.That(
            await ReadAsync(),
            Is.EqualTo(
                new[]
                {
                    $"step_runs and failures, dead-lettered in one of them only: 1 (email of {Order} has no failure)",
                }
            )
        );
    }

    [Test]
    public async Task A_statement_that_goes_on_is_named()
    {
        await using var connection = await _database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var locking = new NpgsqlCommand("lock table redrives /* held */", connection, transaction))
            await locking.ExecuteNonQueryAsync();
        await Eventually.That(
            async () => string.Join('\n', await _moving.ReadStatementsAsync()),
            Does.Match(@"statement of \w+, idle in transaction: 1 \(since \d+ s, .*lock table redrives /\* held \*/\)"),
            "statements"
        );
    }

    private async Task<string[]> ReadAsync() =>
        [.. (await _moving.ReadAsync()).Select(m => m.ToString()).Order(StringComparer.Ordinal)];

    private Task<int> RunAsync(Guid order, string step, int status) =>
        _system.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts) values ($1, $2, $3, 1)",
            order,
            step,
            (short)status
        );

    private Task<int> FailAsync(Guid order, string step, int state) =>
        _system.Database.ExecuteAsync(
            $$"""
            insert into failures (id, state, kind, queue, identity, generation, copies, message_id, step, subject_id,
                fault_type, fault_message, fingerprint, attempts, first_at, last_at, body, content_type, headers)
            values (gen_random_uuid(), $3, {{StoredCodes.FailureKindError}}, $2 || '_error', gen_random_uuid(), 0, 1,
                gen_random_uuid(), $2, $1, 'T', 'm', 'f', 1, now(), now(), '', 'j', '{}')
            """,
            order,
            step,
            (short)state
        );
}
