using System.Diagnostics;
using System.Globalization;

namespace Orders.Dashboard.Tests.Flow;

/// <summary>
/// <c>./dev pause | resume | limit | drain | undrain | cancel | replay</c> against a real dashboard: what they do, and
/// what they say when it cannot be done.
/// </summary>
internal sealed class FlowCommandTests : DashboardFixture
{
    [Test]
    public async Task A_step_is_held_limited_and_let_go_on()
    {
        await ExpectAsync(
            0,
            "hurried is paused. No worker that it concerns is running.\n",
            "pause",
            "hurried",
            "--reason",
            "the \"server\" moves"
        );
        await AddWorkersAsync(("answers", "now() + interval '1 hour'"), ("answers-too", "now() + interval '1 hour'"));
        await ExpectAsync(
            0,
            "hurried has its new rates on 2 of 2 workers.\nLimits of hurried: 3 at a time in a replica, 7 at a time over all replicas, 100/m, 5/s per customer.\n",
            "limit",
            "hurried",
            "--per-replica",
            "3",
            "--total",
            "7",
            "--rates",
            "100/m, 5/s per customer",
            "--reason",
            "gently"
        );
        await ExpectAsync(0, "hurried runs on 2 of 2 workers.\n", "resume", "hurried", "--reason", "it has moved");
        await ExpectAsync(
            0,
            "Limits of hurried: 5 at a time in a replica, by default.\n",
            "limit",
            "hurried",
            "--reset",
            "--reason",
            "as it was"
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(action || ': ' || reason, '; ' order by id) from audit where target like 'step hurried%'"
            ),
            Is.EqualTo(
                "pause-step: the \"server\" moves; limit-step: gently; limit-step: gently; resume-step: it has moved; limit-step: as it was; limit-step: as it was"
            )
        );
    }

    [Test]
    public async Task A_worker_is_drained_by_its_host_and_given_back()
    {
        await AddWorkersAsync(
            ("c0ffee", "now() + interval '1 hour'"),
            ("gone", "null"),
            ("twice", "now() + interval '1 hour'"),
            ("twice", "now() + interval '1 hour'")
        );
        await ExpectAsync(
            0,
            "c0ffee takes nothing more; 2 runs under way. The page Workers says when it is drained.\n",
            "drain",
            "c0ffee",
            "--reason",
            "a new \"disk\""
        );
        await TestSystem.Database.ExecuteAsync(
            "update workers set drained_at = now() where drain_asked_at is not null"
        );
        var id = await TestSystem.Database.ScalarAsync<Guid>("select id from workers where drained_at is not null");
        await ExpectAsync(
            0,
            "c0ffee is drained: it takes nothing more and has nothing left.\n",
            "drain",
            $"{id}",
            "--reason",
            "again"
        );
        await ExpectAsync(0, "c0ffee takes messages again.\n", "undrain", "c0ffee", "--reason", "it is in");
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(action || ': ' || reason, '; ' order by id) from audit where target = $1",
                $"worker {id}"
            ),
            Is.EqualTo("drain-worker: a new \"disk\"; drain-worker: again; undrain-worker: it is in")
        );
        await ExpectAsync(1, "Several processes are called 'twice'", "drain", "twice", "--reason", "x");
        await ExpectAsync(1, $"{id}  c0ffee  hurried", "drain", "nobody", "--reason", "x");
        await ExpectAsync(
            4,
            "has stopped",
            "drain",
            $"{await TestSystem.Database.ScalarAsync<Guid>("select id from workers where stopped_at is not null")}",
            "--reason",
            "x"
        );
    }

    [Test]
    public async Task An_order_is_cancelled_by_its_number()
    {
        var order = await TestSystem.StoreAsync();
        var number = await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", order);
        var name = string.Create(CultureInfo.InvariantCulture, $"O-{number:D8}");
        await ExpectAsync(0, $"{name} is cancelled", "cancel", name, "--reason", "the customer rang");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = $1 and cancelled_at is not null",
                order
            ),
            Is.EqualTo(1)
        );

        var done = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set done = required, completed_at = now() where order_id = $1",
            done
        );
        await ExpectAsync(4, "the goods are on their way", "cancel", $"{done}", "--reason", "too late");
    }

    [Test]
    public async Task All_orders_of_a_filter_are_rehearsed_and_cancelled()
    {
        var steps = await TestSystem.RequiredStepsAsync();
        var orders = await TestSystem.StoreAsync([
            .. Enumerable.Range(0, 3).Select(_ => SampleOrders.New(steps, ("MUG-BLUE", 1)) with { ClientId = "many" }),
        ]);
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set done = required, completed_at = now() where order_id = $1",
            orders[0]
        );
        const string rehearsed =
            "3 match; would be cancelled: 2\n  not touched: 1 completed: the goods are on their way\n";
        await ExpectAsync(0, rehearsed, "cancel", "--client", "many", "--dry-run");
        await ExpectAsync(0, "Nothing was changed.\n", "cancel", "--client", "many", "--dry-run");
        Assert.That(await CancelledAsync(), Is.Zero);
        await ExpectAsync(
            0,
            "Finished: 2 done, 0 left, 0 skipped, 0 refused\n",
            "cancel",
            "--client",
            "many",
            "--premium",
            "no",
            "--yes",
            "--reason",
            "the \"supplier\" is bankrupt"
        );
        Assert.That(await CancelledAsync(), Is.EqualTo(2));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(action || ' ' || count || ': ' || reason, '; ' order by id) from audit where action = 'cancel orders'"
            ),
            Is.EqualTo("cancel orders 2: the \"supplier\" is bankrupt")
        );
        await ExpectAsync(0, "Nothing to do.\n", "cancel", "--client", "many", "--yes", "--reason", "again");

        Task<long> CancelledAsync() =>
            TestSystem.Database.CountAsync(
                "order_progress where order_id = any($1) and cancelled_at is not null",
                (object)orders
            );
    }

    [Test]
    public async Task A_replay_is_begun_held_and_shown()
    {
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted'] where step = 'mother'"
        );
        using var following = Start(
            "replay",
            "mother",
            "--per-second",
            "10",
            "--premium",
            "yes",
            "--reason",
            "a new step"
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "replays where step = 'mother' and per_second = 10 and filter = '{\"premium\": true}'"
                ),
            Is.EqualTo(1),
            "replays"
        );
        var id = await TestSystem.Database.ScalarAsync<Guid>("select id from replays where step = 'mother'");

        await ExpectAsync(0, "Stopped", "replay", "--stop", $"{id}");
        await ExpectAsync(4, "Refused", "replay", "--stop", $"{id}");
        await ExpectAsync(0, $"{id}", "replay", "--list");
        await following.WaitForExitAsync();
        Assert.That(following.ExitCode, Is.EqualTo(1), "who follows it is told that it did not come to its end");
    }

    [TestCase("did you mean 'patient'?", "pause", "pateint", "--reason", "a slip")]
    [TestCase("into the audit record", "resume", "patient")]
    [TestCase("There is no worker", "drain", "00000000-0000-0000-0000-000000000001", "--reason", "a slip")]
    [TestCase("into the audit record", "undrain", "c0ffee")]
    [TestCase("Expected a number after --total", "limit", "patient", "--total", "many", "--reason", "x")]
    [TestCase("Expected a rate limit such as '100/m'", "limit", "patient", "--rates", "often", "--reason", "x")]
    [TestCase("Expected a limit or --reset", "limit", "patient", "--reason", "x")]
    [TestCase("There is no order O-99999999", "cancel", "O-99999999", "--reason", "x")]
    [TestCase("There is no step 'parrot'", "replay", "parrot", "--per-second", "1", "--reason", "x")]
    [TestCase("There is no step 'parrot'", "replay", "parrot", "--client", "x", "--dry-run")]
    [TestCase("An empty filter would concern every order", "replay", "patient", "--dry-run")]
    [TestCase("Expected --dry-run or --yes", "cancel", "--client", "many")]
    [TestCase("into the audit record", "cancel", "--client", "many", "--yes")]
    [TestCase("Expected an order or a filter", "cancel", "O-00000001", "--client", "many", "--dry-run")]
    [TestCase("found 'O-00000001'", "cancel", "O-00000001", "--dry-run", "--reason", "x")]
    [TestCase("Expected a filter with --yes, found 'nothing'", "cancel", "--yes", "--reason", "x")]
    [TestCase("Expected yes or no", "cancel", "--premium", "maybe", "--dry-run")]
    [TestCase("Expected at least one filter", "archive", "--dry-run")]
    [TestCase("Expected yes or no", "replay", "patient", "--per-second", "1", "--premium", "maybe", "--reason", "x")]
    public Task What_cannot_be_done_is_said_and_the_exit_code_is_one(string said, params string[] command) =>
        ExpectAsync(1, said, command);

    [TestCase("pause")]
    [TestCase("resume")]
    [TestCase("limit")]
    [TestCase("drain")]
    [TestCase("undrain")]
    [TestCase("cancel")]
    [TestCase("replay")]
    [TestCase("archive")]
    public Task Each_has_a_help(string command) => ExpectAsync(0, $"Usage: ./dev {command}", command, "--help");

    // A report in the future counts as an answer to whatever is asked until then; without one the process has stopped.
    private async Task AddWorkersAsync(params (string Host, string LastSeenAt)[] workers)
    {
        await TestSystem.Database.ExecuteAsync("delete from workers");
        foreach (var (host, lastSeenAt) in workers)
            await TestSystem.Database.ExecuteAsync(
                $$"""
                insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at,
                    stopped_at, runs)
                select gen_random_uuid(), $1, 7, '1.4.0', array['hurried'], 2, now(), coalesce(seen, now()),
                    case when seen is null then now() end, '[{"step":"hurried"},{"step":"hurried"}]'
                from (select ({{lastSeenAt}})::timestamptz) as s(seen)
                """,
                host
            );
    }

    private async Task ExpectAsync(int code, string said, params string[] command)
    {
        using var process = Start(command);
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.EqualTo(code), () => $"{string.Join(" ", command)}: {string.Concat(output)}");
        Assert.That(string.Concat(output), Does.Contain(said), string.Join(' ', command));
    }

    private Process Start(params string[] command)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent;
        var start = new ProcessStartInfo("bash", ["dev", .. command])
        {
            WorkingDirectory = root!.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ORDERS_OPERATOR_KEY"] = OperatorsKey;
        start.Environment["BIND_ADDRESS"] = "127.0.0.1";
        start.Environment["DASHBOARD_PORT"] = Dashboard.Address.Port.ToString(CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }
}
