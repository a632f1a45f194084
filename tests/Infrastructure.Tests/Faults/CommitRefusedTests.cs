using Npgsql;
using Orders.Infrastructure.Intake;
using Orders.Infrastructure.Invoices;
using Orders.Testing;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// A commit that fails at its very end, when all rows have been answered for already: as with a full disk, or a server
/// that goes down between the last row and the commit record.
/// Nobody may be told that it was done. A constraint checked at the commit plays the fault.
/// </summary>
public sealed class CommitRefusedTests : SystemFixture
{
    [OneTimeSetUp]
    public Task RefuseAtTheCommit() =>
        TestSystem.Database.ExecuteAsync(
            """
            create function refuse() returns trigger language plpgsql as $$ begin raise 'refused at the commit' using errcode = '53100'; end $$;
            create constraint trigger refuse_order after insert on orders deferrable initially deferred for each row when (new.notes = 'refuse') execute function refuse();
            create constraint trigger refuse_effect after insert on effects deferrable initially deferred for each row when (new.effect = 'refuse') execute function refuse();
            create constraint trigger refuse_invoice after insert on invoices deferrable initially deferred for each row execute function refuse()
            """
        );

    [Test]
    public async Task An_order_is_not_accepted([Values] bool withKey)
    {
        await using var database = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        await using var intake = new OrderIntake(database, feed, SampleOrders.Personal);
        var order = SampleOrders.New(1) with
        {
            Notes = "refuse",
            IdempotencyKey = withKey ? "refused" : null,
            BodyHash = [1],
        };

        var fault = Assert.CatchAsync<NpgsqlException>(() => intake.AcceptAsync(order));

        Assert.That(fault.Message, Does.Contain("refused at the commit"));
        Assert.That(await TestSystem.Database.CountAsync("orders where id = $1", order.Id), Is.Zero, "orders");
        Assert.That(feed.Offered.IsEmpty, Is.True, "nothing is offered to the relay");
    }

    [Test]
    public async Task A_claim_is_not_granted()
    {
        await using var database = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        var run = new StepRun(
            new StepPolicy("careful"),
            Guid.NewGuid(),
            Guid.NewGuid(),
            Guid.NewGuid(),
            1,
            new EffectClaims(database)
        )
        {
            Effect = "refuse",
        };

        Assert.CatchAsync<NpgsqlException>(() =>
            run.ClaimAsync(TimeSpan.FromSeconds(5), "a reference", CancellationToken.None)
        );

        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = $1", run.SubjectId),
            Is.Zero,
            "effects"
        );
    }

    [Test]
    public async Task An_invoice_number_is_not_given_out()
    {
        var order = await TestSystem.StoreAsync();
        await using var database = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        await using var numbers = new InvoiceNumbers(
            database,
            new Seller("Orders", "1 Example Street", "DE0"),
            new InvoiceNumbering()
        );

        Assert.CatchAsync<NpgsqlException>(() => numbers.IssueAsync(order));

        Assert.That(await TestSystem.Database.CountAsync("invoices"), Is.Zero, "invoices");
    }

    [Test]
    public async Task A_run_is_not_done()
    {
        await using var process = new OneProcess(TestSystem);
        var run = OneProcess.Run(new StepPolicy("careful"), Guid.NewGuid());
        run.Effect = "refuse";

        Assert.CatchAsync<NpgsqlException>(() => process.Committer.CommitAsync(run));

        Assert.That(
            await TestSystem.Database.CountAsync("idempotency where message_id = $1", run.MessageId),
            Is.Zero,
            "idempotency rows"
        );
    }
}
