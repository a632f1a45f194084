using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Erasing;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Erasing;
using QueueWorkers.Outbox;
using QueueWorkers.Redrive;
using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>
/// After an erasure nothing of the customer is left anywhere but in the invoices, for as long as tax law asks for them.
/// Each column that may hold personal data is filled before.
/// </summary>
internal sealed class ErasureTests : ErasureFixture
{
    // Filled by the orders themselves, or by what would not be found again if it were overwritten.
    private static readonly string[] FilledByWork =
    [
        "orders.customer_email",
        "invoices.snapshot",
        "invoices.pdf",
        "invoices.sha256",
        "credit_notes.pdf",
        "credit_notes.sha256",
    ];

    private static readonly string[] KeptForTax = ["invoices.snapshot", "invoices.pdf", "credit_notes.pdf"];

    [Test]
    public async Task Name_mail_and_street_are_nowhere_but_in_invoices_until_these_go_too()
    {
        await using var host = await WorkAsync("email,inventory,invoice");
        var cancelled = await PostAsync(host, Zora, $"key of {Zora.Email}");
        await TestSystem.UntilAsync(cancelled, "invoice", QueueWorkers.Steps.StepStatus.Done);
        await OkAsync($"/api/orders/{cancelled}/cancel", OperatorsKey, new { reason = "As asked." });
        await using var warehouse = await WorkAsync("warehouse");
        var completed = await PostAsync(host, Zora);
        var other = await PostAsync(host, Nora);
        foreach (var order in (Guid[])[completed, other])
            await TestSystem.UntilAsync(order, OrderStatus.Completed, TimeSpan.FromMinutes(2));
        await Eventually.That(
            () => TestSystem.Database.CountAsync("effects where subject_id = $1 and effect like '%-undo'", cancelled),
            Is.GreaterThanOrEqualTo(4),
            "what was undone",
            TimeSpan.FromMinutes(2)
        );
        await TestSystem.UntilOutboxIsEmptyAsync(TimeSpan.FromMinutes(1));
        Assert.That(await TestSystem.Database.CountAsync("credit_notes"), Is.EqualTo(1), "credit notes");

        await DeadLetterAboutAsync(completed, Zora);
        await DeadLetterAboutAsync(other, Nora);
        await TestSystem.Broker.PublishBytesAsync("email_skipped", Foreign(Zora), new ByHand());
        await TestSystem.Broker.PublishBytesAsync("unrouted", Foreign(Zora), new ByHand());
        await UntilFailuresAsync(FailureState.Failed, 4);
        await FillAsync(completed);
        await FillAsync(other, Nora);
        Assert.That(
            await PersonalTraces.InDatabaseAsync(TestSystem.Database, Zora.Traces),
            Is.Not.Empty.And.Some.StartsWith("failures.payload").And.Some.StartsWith("credit_notes.pdf"),
            "what there is to erase"
        );

        var before = await CountsAsync();
        var sum = await TestSystem.Database.ScalarAsync<decimal>("select sum(total) from orders");
        var plan = await OkAsync("/api/erasures/preview", AdminKey, new { customer = Zora.Email });
        Assert.Multiple(() =>
        {
            Assert.That(plan.Body["obstacles"]!.AsArray(), Is.Empty, plan.ToString());
            Assert.That(plan.Body["counts"]!["orders"]!.GetValue<long>(), Is.EqualTo(2));
            Assert.That(plan.Body["counts"]!["invoices"]!.GetValue<long>(), Is.EqualTo(2));
            Assert.That(plan.Body["counts"]!["failures"]!.GetValue<long>(), Is.GreaterThanOrEqualTo(3));
        });
        var noraBefore = await PersonalTraces.InDatabaseAsync(TestSystem.Database, Nora.Traces);
        await EraseAsync(Zora);

        var left = await PersonalTraces.InDatabaseAsync(TestSystem.Database, Zora.Traces);
        Assert.That(left.Where(l => !KeptForTax.Contains(l.Split(':')[0])), Is.Empty, "left in the database");
        Assert.That(left, Is.Not.Empty, "invoices are kept");
        Assert.That(left.Where(l => l.Contains('@', StringComparison.Ordinal)), Is.Empty, "no invoice has the address");
        Assert.That(await PersonalTraces.InQueuesAsync(TestSystem, Zora.Traces), Is.Empty, "left in queues");
        // Whoever looks at the queue, as the index does again and again, has its messages for a moment.
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(1u),
            "the other customer's message"
        );
        Assert.That(
            await PersonalTraces.InDatabaseAsync(TestSystem.Database, Nora.Traces),
            Is.EquivalentTo(noraBefore),
            "the other customer's data"
        );
        Assert.That(await CountsAsync(), Is.EqualTo(before), "rows of each table");
        Assert.That(await TestSystem.Database.ScalarAsync<decimal>("select sum(total) from orders"), Is.EqualTo(sum));

        var again = await PostAsync("/api/erasures", AdminKey, new { customer = Zora.Email, reason = "Once more." });
        Assert.That((again.Status, again.Code), Is.EqualTo((404, "not-found")), again.ToString());
        Assert.That(again.Text, Does.Contain("erased at"));

        await InvoicesGoAsync();
    }

    [Test]
    public async Task Every_column_that_can_hold_a_text_is_erased_or_known_to_hold_none()
    {
        var personal = Dashboard.Services.GetRequiredService<Erasures>().PersonalColumns;
        Assert.That(personal, Is.Unique);
        var columns = (await PersonalTraces.ColumnsAsync(TestSystem.Database)).Select(c => c.Name).ToArray();
        Assert.That(personal, Is.SubsetOf(columns), "columns with an eraser that do not exist");
        Assert.That(Impersonal.Columns.Keys.Intersect(personal), Is.Empty, "columns that are called both");
        Assert.That(Impersonal.Columns.Keys, Is.SubsetOf(columns), "columns without personal data that do not exist");
        Assert.That(
            columns.Except(personal).Except(Impersonal.Columns.Keys),
            Is.Empty,
            "columns nobody has thought of: give each an eraser (ErasureSql, ISubjectEraser.Columns), or say in Impersonal why it holds no personal data"
        );
    }

    [Test]
    public async Task A_new_table_with_an_address_is_noticed()
    {
        await TestSystem.Database.ExecuteAsync("create table newsletter (id bigint, address text)");
        try
        {
            Assert.That(
                (await PersonalTraces.ColumnsAsync(TestSystem.Database))
                    .Select(c => c.Name)
                    .Except(Dashboard.Services.GetRequiredService<Erasures>().PersonalColumns)
                    .Except(Impersonal.Columns.Keys),
                Is.EqualTo(["newsletter.address"])
            );
        }
        finally
        {
            await TestSystem.Database.ExecuteAsync("drop table newsletter");
        }
    }

    // What the index of failures keeps of a message whose text quotes the customer.
    private async Task DeadLetterAboutAsync(Guid order, Customer customer)
    {
        var id = Guid.NewGuid();
        await TestSystem.Broker.PublishBytesAsync(
            "email_error",
            Envelope.Write(
                new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                id,
                order,
                id,
                null,
                DateTimeOffset.UtcNow
            ),
            new ByHand
            {
                Id = id,
                Headers = new()
                {
                    ["MT-Reason"] = Encoding.UTF8.GetBytes("fault"),
                    ["MT-Fault-ExceptionType"] = Encoding.UTF8.GetBytes("System.IO.IOException"),
                    ["MT-Fault-Message"] = Encoding.UTF8.GetBytes($"550 {customer.Everything} is unknown here."),
                    ["MT-Fault-StackTrace"] = Encoding.UTF8.GetBytes($"at Mail.To({customer.Email})"),
                },
            }
        );
    }

    // A message of somebody else's, without any id of ours.
    private static byte[] Foreign(Customer customer) =>
        Encoding.UTF8.GetBytes(
            $$"""{"to": "{{customer.Email}}", "name": "{{customer.Name}}", "at": "{{customer.Street}}"}"""
        );

    // Each personal column of the framework and of the application, in a row about this order.
    private async Task FillAsync(Guid order, Customer? of = null)
    {
        var customer = of ?? Zora;
        await TestSystem.Database.ExecuteAsync(
            """
            insert into step_attempts (subject_id, step, started_at, ended_at, attempt, fault, host)
                values ($1, 'email', now(), now(), 1, '', 'worker');
            """,
            order
        );
        foreach (
            var sql in (string[])
                [
                    "insert into step_reports (subject_id, step, message_id, attempt, log) values ($1, 'email', uuidv7(), 1, '{}') on conflict do nothing",
                    "insert into completeness_gaps (subject_id, effect, kind, detail, silent, closed_at) values ($1, 'email', 0, '', false, now())",
                    "insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body, mandatory, attempts, dead_at) values (uuidv7(), uuidv7(), 'nowhere', '', $1::text, 'text/plain', '{}', '', true, 9, now())",
                    $"insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent, total, finished_at) select uuidv7(), {RedriveStage.Done:D}, 'otto', '', '{{}}', 1, 1, 1, 1, now() from failures where subject_id = $1 and queue = 'email_error'",
                    $"insert into redrive_items (redrive_id, failure_id, state, settled_at) select r.id, f.id, {RedriveItemState.Done:D}, now() from failures f, redrives r where f.subject_id = $1 and f.queue = 'email_error' and not exists (select from redrive_items i where i.redrive_id = r.id)",
                ]
        )
            await TestSystem.Database.ExecuteAsync(sql, order);
        // The index takes the quarantined row in before all is filled.
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "failures where queue = 'outbox' and identity in (select id from outbox where correlation_id = $1)",
                    Text(order)
                ),
            Is.EqualTo(1),
            "quarantined row in the index"
        );

        var columns = await PersonalTraces.ColumnsAsync(TestSystem.Database);
        var erasures = Dashboard.Services.GetRequiredService<Erasures>();
        foreach (var name in erasures.PersonalColumns.Except(FilledByWork))
        {
            var column = columns.Single(c => c.Name == name);
            var value = column.Type switch
            {
                "jsonb" => "jsonb_build_object('text', $2::text)",
                "bytea" => "convert_to($2::text, 'UTF8')",
                "ARRAY" => "array[$2::text]",
                _ => "$2::text",
            };
            var rows = await TestSystem.Database.ExecuteAsync(
                $"update {column.Table} set {column.Column} = {value} where {RowsOf(column.Table)}",
                order,
                customer.Everything
            );
            if (of is null && column.Table is not ("webhook_deliveries" or "posted_keys"))
                Assert.That(rows, Is.Positive, $"rows with {name} filled");
        }
    }

    private static string RowsOf(string table) =>
        table switch
        {
            "orders" => "id = $1",
            "posted_keys" or "webhook_deliveries" => "order_id = $1",
            "outbox" => "correlation_id = $1::text",
            "redrives" =>
                "id in (select i.redrive_id from redrive_items i join failures f on f.id = i.failure_id where f.subject_id = $1)",
            "redrive_items" => "failure_id in (select id from failures where subject_id = $1)",
            _ => "subject_id = $1",
        };

    private async Task InvoicesGoAsync()
    {
        var job = new ErasedInvoicesJob(TestSystem.Database.Source, new ErasureOptions());
        var firing = new Firing("erase-invoices", DateTimeOffset.UtcNow);
        Assert.That(await job.RunAsync(firing, CancellationToken.None), Does.StartWith("No invoice"));
        await TestSystem.Database.ExecuteAsync("update invoices set issued_at = issued_at - interval '3700 days'");
        await TestSystem.Database.ExecuteAsync("update credit_notes set issued_at = issued_at - interval '3700 days'");
        Assert.That(await job.RunAsync(firing, CancellationToken.None), Is.EqualTo("Erased the invoices of 2 orders."));
        Assert.That(
            await PersonalTraces.InDatabaseAsync(TestSystem.Database, Zora.Traces),
            Is.Empty,
            "left when tax law asks for nothing any more"
        );
        Assert.That(await job.RunAsync(firing, CancellationToken.None), Does.StartWith("No invoice"), "a second time");
        Assert.That(
            await TestSystem.Database.CountAsync("invoices where pdf is not null and sha256 is not null"),
            Is.EqualTo(1),
            "the other customer's invoice, as old as it is"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("invoices where number > 0 and snapshot ->> 'total' is not null"),
            Is.EqualTo(3),
            "numbers and sums"
        );
    }

    private async Task<string> CountsAsync()
    {
        var tables = (await PersonalTraces.ColumnsAsync(TestSystem.Database)).Select(c => c.Table).Distinct();
        var counts = new List<string>();
        // Of these rows come and go by themselves, or because of the erasure.
        foreach (
            var table in tables.Except([
                "outbox",
                "audit",
                "erasures",
                "leases",
                "step_history",
                "workers",
                "alerts",
                "operator_sessions",
                "rate_buckets",
                "breakers",
                "dependency_calls",
                "duplicates",
                "schedule_runs",
            ])
        )
            counts.Add($"{table}: {await TestSystem.Database.CountAsync($"\"{table}\"")}");
        return string.Join(", ", counts);
    }

    private async Task<Answer> OkAsync(string path, string key, object body)
    {
        var answer = await PostAsync(path, key, body);
        Assert.That(answer.Status, Is.InRange(200, 299), $"{path}: {answer}");
        return answer;
    }
}
