using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orders.Infrastructure.Invoices;
using Orders.Testing;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Invoice;

/// <summary>
/// Numbers without gaps, whoever asks for them at the same moment and whatever fails. Each test has an installation of
/// its own, for its counter begins at one.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[Parallelizable(ParallelScope.Self)]
public sealed class InvoiceNumbersTests
{
    private static readonly Seller Seller = new("Orders Ltd", "1 Example Street", "DE000000000");

    private OrdersSystem _orders = null!;
    private List<InvoiceNumbers> _processes = null!;

    [SetUp]
    public async Task Install()
    {
        _orders = await OrdersSystem.CreateAsync(Steps.Catalogue);
        _processes = [.. Enumerable.Range(0, 4).Select(_ => new InvoiceNumbers(_orders.Database.Source, Seller))];
    }

    [TearDown]
    public async Task Uninstall()
    {
        foreach (var process in _processes)
            await process.DisposeAsync();
        await _orders.DisposeAsync();
    }

    [Test]
    public async Task Four_processes_that_ask_for_the_same_hundred_orders_issue_a_hundred_numbers_without_a_gap()
    {
        var orders = await StoreAsync(100);

        var issued = await Task.WhenAll(_processes.SelectMany(p => orders.Select(p.IssueAsync)));
        foreach (var ofOneOrder in issued.GroupBy(i => i.OrderId))
            Assert.That(ofOneOrder.Select(i => i.Number).Distinct().Count(), Is.EqualTo(1), "numbers of one order");
        await NumbersAreAsync(1, 100);
    }

    [Test]
    public async Task A_batch_that_is_rolled_back_gives_its_numbers_back()
    {
        var orders = await StoreAsync(30);
        await _orders.Database.ExecuteAsync(
            $"""
            create function refuse() returns trigger language plpgsql as $$ begin if new.order_id = '{orders[
                7
            ]}' then raise check_violation using message = 'refused'; end if; return new; end $$;
            create trigger refuse before insert on invoices for each row execute function refuse();
            """
        );

        var asked = orders.Select((o, i) => _processes[i % _processes.Count].IssueAsync(o)).ToArray();
        Assert.That(async () => await asked[7], Throws.TypeOf<PostgresException>());
        await Task.WhenAll(asked.Where((_, i) => i != 7));
        await NumbersAreAsync(1, 29);
    }

    [Test]
    public async Task A_run_after_a_crash_between_the_stages_finds_number_and_snapshot_and_renders_the_same_document()
    {
        var order = (await StoreAsync(1)).Single();
        var before = await _processes[0].IssueAsync(order);
        await _orders.Database.ExecuteAsync("update orders set customer_name = 'Somebody else' where id = $1", order);
        var after = await _processes[1].IssueAsync(order);

        Assert.That(
            (after.Number, after.IssuedAt, after.Snapshot.CustomerName),
            Is.EqualTo((before.Number, before.IssuedAt, before.Snapshot.CustomerName))
        );
        Assert.That(Invoices.Document.Render(after), Is.EqualTo(Invoices.Document.Render(before)));
        await NumbersAreAsync(1, 1);
    }

    [Test]
    public async Task The_snapshot_holds_the_order_as_it_was_posted()
    {
        var order = await _orders.StoreAsync(("MUG-BLUE", 2), ("TEA-GREEN-100", 1));
        var snapshot = (await _processes[0].IssueAsync(order)).Snapshot;

        Assert.That(snapshot.Seller, Is.EqualTo(Seller));
        Assert.That(
            (snapshot.CustomerName, snapshot.Address.City, snapshot.Currency),
            Is.EqualTo(("Zoë Müller", "Hamburg", "EUR"))
        );
        Assert.That(
            snapshot.Lines.Select(l => (l.Sku, l.Quantity, l.Total)),
            Is.EqualTo(new[] { ("MUG-BLUE", 2, 19.80m), ("TEA-GREEN-100", 1, 9.90m) })
        );
        Assert.That(snapshot.Total, Is.EqualTo(29.70m));
    }

    [Test]
    public async Task An_order_that_is_not_there_is_a_permanent_fault_and_takes_no_number()
    {
        Assert.That(() => _processes[0].IssueAsync(Guid.CreateVersion7()), Throws.TypeOf<PermanentFaultException>());

        await _processes[0].IssueAsync((await StoreAsync(1)).Single());
        await NumbersAreAsync(1, 1);
    }

    [Test]
    public async Task A_process_refuses_to_start_while_a_counter_is_behind_the_numbers_issued()
    {
        foreach (var order in await StoreAsync(3))
            await _processes[0].IssueAsync(order);
        await CheckAsync();

        await _orders.Database.ExecuteAsync("update invoice_counter set last = 1 where series = 'invoice'");
        Assert.That(
            CheckAsync,
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Property("Problems")
                .EqualTo(
                    new[]
                    {
                        "Expected the counter of series 'invoice' at 3 or above, the highest number issued; found 1. "
                            + "Was the database restored in parts? "
                            + "See docs/operating.md, \"The invoice counter is behind\".",
                    }
                )
        );
    }

    private Task CheckAsync() =>
        new InvoiceCounterCheck(_orders.Database.Source, NullLogger<InvoiceCounterCheck>.Instance).StartingAsync(
            CancellationToken.None
        );

    private async Task<Guid[]> StoreAsync(int count)
    {
        var orders = new Guid[count];
        for (var i = 0; i < count; i++)
            orders[i] = await _orders.StoreAsync();
        return orders;
    }

    private async Task NumbersAreAsync(long first, long last)
    {
        var rows = await _orders.Database.RowsAsync("select number from invoices order by number");
        Assert.That(
            rows.Select(r => (long)r[0]!),
            Is.EqualTo(Enumerable.Range((int)first, (int)(last - first + 1)).Select(n => (long)n))
        );
        Assert.That(
            await _orders.Database.ScalarAsync<long>("select last from invoice_counter where series = 'invoice'"),
            Is.EqualTo(last),
            "the counter"
        );
    }
}
