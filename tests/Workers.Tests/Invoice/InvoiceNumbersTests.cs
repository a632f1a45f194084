using System.Globalization;
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
        _processes = [.. Enumerable.Range(0, 4).Select(_ => NumbersOf(new InvoiceNumbering()))];
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
            snapshot.Lines.Select(l => (l.Sku, l.Quantity, l.Total, l.VatRate)),
            Is.EqualTo(new[] { ("MUG-BLUE", 2, 19.80m, 19m), ("TEA-GREEN-100", 1, 9.90m, (decimal?)7m) })
        );
        Assert.That((snapshot.Total, snapshot.Locale), Is.EqualTo((29.70m, "en")));
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

    [Test]
    public async Task Numbers_begin_at_the_configured_ones_behind_their_prefix_and_go_on_from_there()
    {
        var numbering = new InvoiceNumbering("RE-", 5000, "ST-", 700);
        var orders = await StoreAsync(3);
        await using (var first = NumbersOf(numbering))
            await first.IssueAsync(orders[0]);
        await using (var later = NumbersOf(numbering with { Prefix = "RE.2027.", FirstNumber = 1 }))
            await later.IssueAsync(orders[1]);
        // A number that is too long for eight digits is printed whole.
        await _orders.Database.ExecuteAsync("update invoice_counter set last = 123456788 where series = 'invoice'");
        await using (var later = NumbersOf(numbering))
            await later.IssueAsync(orders[2]);
        await using var notes = new CreditNoteNumbers(_orders.Database.Source, numbering);
        var note = await notes.IssueAsync(orders[0]);

        var rows = await _orders.Database.RowsAsync("select number, printed_number from invoices order by number");
        Assert.That(
            rows.Select(r => ((long)r[0]!, (string)r[1]!)),
            Is.EqualTo(new[] { (5000L, "RE-00005000"), (5001L, "RE.2027.00005001"), (123456789L, "RE-123456789") })
        );
        Assert.That(
            (note!.Number, note.PrintedNumber, note.Invoice.PrintedNumber),
            Is.EqualTo((700, "ST-00000700", "RE-00005000"))
        );
    }

    [Test]
    public async Task A_process_refuses_to_start_with_a_first_number_that_would_leave_a_gap()
    {
        await CheckAsync(new InvoiceNumbering(FirstNumber: 5000));
        foreach (var order in await StoreAsync(3))
            await _processes[0].IssueAsync(order);

        await CheckAsync(new InvoiceNumbering(FirstNumber: 4));
        Assert.That(
            () => CheckAsync(new InvoiceNumbering(FirstNumber: 5)),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("Invoice:FirstNumber must be at most 4")
                .And.Message.Contains("got 5; set Invoice__FirstNumber")
        );
    }

    [Test]
    public void A_process_refuses_to_start_with_a_time_zone_that_the_database_does_not_know() =>
        Assert.That(
            () => CheckAsync(new InvoiceNumbering(TimeZone: "Europe/Atlantis")),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("got 'Europe/Atlantis'")
                .And.Message.Contains("set Invoice__TimeZone")
        );

    [TestCase("Europe/Berlin", "2026-01-01")]
    [TestCase("Pacific/Kiritimati", "2026-01-01")]
    [TestCase("Pacific/Pago_Pago", "2025-12-31")]
    public async Task An_invoice_is_dated_with_the_day_that_it_is_where_the_seller_is(string zone, string orderedOn)
    {
        var order = (await StoreAsync(1)).Single();
        await _orders.Database.ExecuteAsync(
            "update orders set created_at = '2025-12-31T23:30:00Z' where id = $1",
            order
        );
        var numbering = new InvoiceNumbering(TimeZone: zone);
        await using var numbers = NumbersOf(numbering);
        await using var notes = new CreditNoteNumbers(_orders.Database.Source, numbering);
        var invoice = await numbers.IssueAsync(order);
        var note = await notes.IssueAsync(order);

        // 25 hours lie between the Pacific zones: in one of them it is never the day of UTC.
        Assert.That(
            (invoice.IssuedOn, note!.IssuedOn),
            Is.EqualTo((DayIn(zone, invoice.IssuedAt), DayIn(zone, note.IssuedAt)))
        );
        Assert.That(
            invoice.Snapshot.OrderedOn,
            Is.EqualTo(DateOnly.Parse(orderedOn, CultureInfo.InvariantCulture)),
            "the day of the order, by the same expression"
        );
    }

    [Test]
    public async Task An_issued_invoice_stays_as_it_is_when_settings_rates_and_locale_change()
    {
        var order = await _orders.StoreAsync(("MUG-BLUE", 2), ("TEA-GREEN-100", 1));
        await _orders.Database.ExecuteAsync("update orders set locale = 'de' where id = $1", order);
        var berlin = new InvoiceNumbering(TimeZone: "Europe/Berlin");
        await using var numbers = NumbersOf(berlin);
        await using var notes = new CreditNoteNumbers(_orders.Database.Source, berlin);
        var (invoice, note) = (await numbers.IssueAsync(order), await notes.IssueAsync(order));

        var other = new InvoiceNumbering("X-", 77, "Y-", 88, "Pacific/Kiritimati");
        await _orders.Database.ExecuteAsync("update order_lines set vat_rate = 1 where order_id = $1", order);
        await _orders.Database.ExecuteAsync("update orders set locale = 'en' where id = $1", order);
        await using var later = new InvoiceNumbers(_orders.Database.Source, new Seller("B", "B", "B"), other);
        await using var laterNotes = new CreditNoteNumbers(_orders.Database.Source, other);
        Assert.That(
            Invoices.Document.Render(await later.IssueAsync(order)),
            Is.EqualTo(Invoices.Document.Render(invoice))
        );
        Assert.That(
            Invoices.Document.Render((await laterNotes.IssueAsync(order))!),
            Is.EqualTo(Invoices.Document.Render(note!))
        );
    }

    [Test]
    public async Task Rows_of_versions_without_rate_locale_and_time_zone_are_rendered()
    {
        var order = await _orders.StoreAsync();
        await _orders.Database.ExecuteAsync(
            """
            insert into invoices (order_id, number, issued_at, snapshot) values ($1, 1, '2025-12-31T23:30:00Z',
                '{"orderNumber": 7, "orderedAt": "2025-12-31T22:30:00+00:00", "customerName": "Zoë Müller",
                  "seller": {"name": "Orders Ltd", "address": "1 Example Street", "taxId": "DE000000000"},
                  "address": {"line1": "Hafenstr. 1", "city": "Hamburg", "postalCode": "20457", "country": "DE"},
                  "currency": "EUR", "total": 19.80, "lines": [
                    {"sku": "MUG-BLUE", "name": "Mug, blue", "quantity": 2, "unitPrice": 9.90, "total": 19.80}]}')
            """,
            order
        );
        await _orders.Database.ExecuteAsync("update invoice_counter set last = 1 where series = 'invoice'");
        var invoice = await _processes[0].IssueAsync(order);

        Assert.That(
            (invoice.PrintedNumber, invoice.IssuedOn),
            Is.EqualTo(("INV-00000001", new DateOnly(2025, 12, 31)))
        );
        Assert.That(
            InvoicePdfTests.Text(Invoices.Document.Render(invoice)),
            Does.Contain("INV-00000001")
                .And.Contain("2025-12-31")
                .And.Contain("Total (EUR)")
                .And.Contain("€19.80")
                .And.Not.Contain("VAT")
        );

        await _orders.Database.ExecuteAsync(
            "insert into credit_notes (order_id, number, issued_at) values ($1, 1, '2026-01-02T23:30:00Z')",
            order
        );
        await using var notes = new CreditNoteNumbers(
            _orders.Database.Source,
            new InvoiceNumbering("RE-", 1, "ST-", 1, "Europe/Berlin")
        );
        Assert.That(
            InvoicePdfTests.Text(Invoices.Document.Render((await notes.IssueAsync(order))!)),
            Does.Contain("CN-00000001")
                .And.Contain("Date 2026-01-02")
                .And.Contain("Takes back invoice INV-00000001 of 2025-12-31")
                .And.Contain("-€19.80")
        );
    }

    private static DateOnly DayIn(string zone, DateTimeOffset at) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(zone)).DateTime);

    private InvoiceNumbers NumbersOf(InvoiceNumbering numbering) => new(_orders.Database.Source, Seller, numbering);

    private Task CheckAsync() => CheckAsync(new InvoiceNumbering());

    private Task CheckAsync(InvoiceNumbering numbering) =>
        new InvoiceCounterCheck(
            _orders.Database.Source,
            numbering,
            NullLogger<InvoiceCounterCheck>.Instance
        ).StartingAsync(CancellationToken.None);

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
