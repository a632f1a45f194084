using Npgsql;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>Many runs share a commit, and each of them is treated as if it had been alone.</summary>
public sealed class StepCommitterTests : SystemFixture
{
    private static readonly StepPolicy One = HurriedStep.Policy;
    private static readonly StepPolicy Two = PatientStep.Policy;

    [OneTimeSetUp]
    public Task MakeATable() => TestSystem.Database.ExecuteAsync(Note.Table);

    [Test]
    public async Task Copies_inside_one_batch_are_dropped()
    {
        await using var process = new OneProcess(TestSystem);
        var messages = Enumerable
            .Range(0, 40)
            .Select(_ => (Subject: Guid.NewGuid(), Message: Guid.NewGuid()))
            .ToArray();
        var results = await Task.WhenAll(
            messages
                .Concat(messages)
                .Concat(messages)
                .Select(m => process.Committer.CommitAsync(WithNote(OneProcess.Run(One, m.Subject, m.Message))))
        );

        Assert.That(results.Count(applied => applied), Is.EqualTo(messages.Length));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "notes where subject = any($1)",
                messages.Select(m => m.Subject).ToArray()
            ),
            Is.EqualTo(messages.Length)
        );
    }

    [Test]
    public async Task Two_messages_for_one_effect_have_it_once()
    {
        await using var process = new OneProcess(TestSystem);
        var subject = Guid.NewGuid();
        var results = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => process.Committer.CommitAsync(WithNote(OneProcess.Run(One, subject))))
        );

        Assert.That(results.Count(applied => applied), Is.EqualTo(1));
        Assert.That(await TestSystem.Database.CountAsync("notes where subject = $1", subject), Is.EqualTo(1));
    }

    [Test]
    public async Task A_copy_is_dropped_also_after_its_idempotency_row_was_purged()
    {
        await using var process = new OneProcess(TestSystem);
        var (subject, message) = (Guid.NewGuid(), Guid.NewGuid());
        await process.Committer.CommitAsync(WithNote(OneProcess.Run(One, subject, message)));
        await TestSystem.Database.ExecuteAsync("delete from idempotency where message_id = $1", message);

        Assert.That(await process.Committer.CommitAsync(WithNote(OneProcess.Run(One, subject, message))), Is.False);
        Assert.That(await TestSystem.Database.CountAsync("notes where subject = $1", subject), Is.EqualTo(1));
    }

    [Test]
    public async Task One_poison_unit_of_a_hundred_fails_alone()
    {
        await using var process = new OneProcess(TestSystem);
        var runs = Enumerable
            .Range(0, 100)
            .Select(i => WithNote(OneProcess.Run(One, Guid.NewGuid()), i == 42 ? -1 : i + 1))
            .ToArray();
        var commits = runs.Select(process.Committer.CommitAsync).ToArray();

        Assert.ThrowsAsync<PostgresException>(() => commits[42]);
        var others = await Task.WhenAll(commits.Where((_, i) => i != 42));
        Assert.That(others, Is.All.True);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "notes where subject = any($1)",
                runs.Select(r => r.SubjectId).ToArray()
            ),
            Is.EqualTo(99)
        );
        Assert.That(await TestSystem.EffectsAsync(runs[42].SubjectId), Is.Zero);
    }

    [Test]
    public async Task Two_processes_that_commit_the_same_subjects_in_opposite_order_never_wait_in_a_circle()
    {
        await using var left = new OneProcess(TestSystem);
        await using var right = new OneProcess(TestSystem);
        for (var round = 0; round < 10; round++)
        {
            var orders = await OrdersAsync(20, await TestSystem.RequiredStepsAsync());
            var commits = orders
                .Select(o => left.Committer.CommitAsync(OneProcess.Run(One, o)))
                .Concat(Enumerable.Reverse(orders).Select(o => right.Committer.CommitAsync(OneProcess.Run(Two, o))));
            Assert.That(await Task.WhenAll(commits), Is.All.True);
        }
    }

    [Test]
    public async Task The_same_message_in_two_processes_at_once_is_committed_by_one_of_them()
    {
        await using var left = new OneProcess(TestSystem);
        await using var right = new OneProcess(TestSystem);
        for (var round = 0; round < 200; round++)
        {
            var (subject, message) = (Guid.NewGuid(), Guid.NewGuid());
            var results = await Task.WhenAll(
                left.Committer.CommitAsync(OneProcess.Run(One, subject, message)),
                right.Committer.CommitAsync(OneProcess.Run(One, subject, message))
            );
            Assert.That(results.Count(applied => applied), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task The_end_of_an_order_is_not_published_when_nobody_subscribed_to_it()
    {
        await using var process = new OneProcess(TestSystem);
        var order = (await OrdersAsync(1, await MaskAsync(One)))[0];
        await process.Committer.CommitAsync(OneProcess.Run(One, order));

        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = $1 and status = $2",
                order,
                (short)OrderStatus.Completed
            ),
            Is.EqualTo(1)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where correlation_id = $1", order.ToString()),
            Is.Zero
        );
    }

    [Test]
    public async Task An_order_is_completed_exactly_once_when_its_last_two_steps_meet()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into subscriptions (exchange, queue) values ('Orders.Contracts:OrderCompleted', 'accounting')"
        );
        await using var left = new OneProcess(TestSystem);
        await using var right = new OneProcess(TestSystem);
        var orders = await OrdersAsync(200, await MaskAsync(One, Two));
        foreach (var order in orders)
            await Task.WhenAll(
                left.Committer.CommitAsync(OneProcess.Run(One, order)),
                right.Committer.CommitAsync(OneProcess.Run(Two, order))
            );

        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = any($1) and status = $2",
                orders,
                (short)OrderStatus.Completed
            ),
            Is.EqualTo(orders.Length)
        );
        var integrationEvents = await TestSystem.Database.RowsAsync(
            "select correlation_id from outbox where exchange = 'Orders.Contracts:OrderCompleted' and correlation_id = any($1)",
            (object)orders.Select(o => o.ToString()).ToArray()
        );
        Assert.That(integrationEvents.Select(r => Guid.Parse((string)r[0]!)), Is.EquivalentTo(orders));
        await TestSystem.Database.ExecuteAsync("delete from subscriptions");
    }

    private Task<int> MaskAsync(params StepPolicy[] steps) =>
        TestSystem.Database.ScalarAsync<int>(
            "select bit_or(bit) from step_catalogue where step = any($1)",
            (object)steps.Select(s => s.Name).ToArray()
        );

    private static StepRun WithNote(StepRun run, int n = 1)
    {
        run.Write = new Note(n);
        return run;
    }

    private Task<Guid[]> OrdersAsync(int count, int requiredSteps) =>
        TestSystem.StoreAsync([.. Enumerable.Range(0, count).Select(_ => SampleOrders.New(requiredSteps))]);
}
