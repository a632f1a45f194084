using System.Globalization;
using System.Text.RegularExpressions;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// <c>./dev failures</c> and <c>./dev redrive</c> as an operator types them, against a dashboard of the fixture's own.
/// </summary>
internal sealed class RedriveCommandTests : ShopFixture
{
    private const int Count = 3;

    [OneTimeSetUp]
    public async Task DeadLetterSomeAsync()
    {
        var orders = await TestSystem.StoreAsync(await OrdersAsync(Count));
        await DeadLetterAsync(orders);
        await UntilFailuresAsync(FailureState.Failed, Count);
        await TestSystem.Database.ExecuteAsync(
            """update failures set fault_message = E'<Zo\u00eb>\u001b[31m said "no",\nthen\u0085 left\u009b2J\u200e\u200f\u061c\u202a\u202e\u2066\u2069\u2028\u2029 \\bu009b\\u009b' where id = (select max(id::text)::uuid from failures)"""
        );
    }

    [TestCase("failures")]
    [TestCase("redrive")]
    public async Task Each_explains_itself(string command)
    {
        var (code, output, _) = await DevAsync([command, "--help"]);
        Assert.That(code, Is.Zero);
        Assert.That(output, Does.Contain("Usage: ./dev " + command));
    }

    [Test, Order(1)]
    public async Task Failures_are_listed_with_what_is_needed_to_redrive_them_and_nothing_that_steers_the_terminal()
    {
        var (code, output, errors) = await DevAsync(["failures", "--each", "--step", "email"]);
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("<Zoë>[31m said \"no\", then left2J \\bu009b\\u009b\n"));
        Assert.That(
            output.Where(c => (char.IsControl(c) && c != '\n') || char.GetUnicodeCategory(c) == UnicodeCategory.Format),
            Is.Empty
        );
        Assert.That(
            output,
            Does.Match(
                @"(?m)^[0-9a-f-]{36}  Failed      email_error    IOException                  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d  No space left on device for "
            )
        );
        Assert.That(output, Does.EndWith($"{Count} match\n"));
        Assert.That((await DevAsync(["failures", "--each", "--fault", "NeverSeen"])).Output, Is.EqualTo("0 match\n"));
        Assert.That(
            (await DevAsync(["failures", "--limit", "1"])).Output,
            Does.EndWith(
                "The newest 1 are shown; --limit shows more (at most 500), without --each, --limit, --cause and --order their causes.\n"
            )
        );
    }

    [Test, Order(2)]
    public async Task Without_a_choice_equal_failures_are_one_line_that_leads_to_them()
    {
        var output = (await DevAsync(["failures"])).Output;
        Assert.That(
            output,
            Does.Match($"(?m)^      {Count}  email        IOException                              [0-9a-f]{{16}}  ")
        );
        var group = Regex.Match(output, "[0-9a-f]{16}").Value;
        Assert.That((await DevAsync(["failures", "--cause", group])).Output, Does.EndWith($"{Count} match\n"));
        Assert.That((await DevAsync(["failures", "--fault", "NeverSeen"])).Output, Is.EqualTo("Nothing matches\n"));
    }

    [TestCase("Refused (400): text must have at least 3 characters, got 2", "failures", "--text", "ab")]
    [TestCase("Expected a filter, found 'email'", "failures", "email")]
    [TestCase("Expected a value after --step", "failures", "--step")]
    [TestCase("Expected a number from 1 to 500 after --limit, found 'all'", "failures", "--limit", "all")]
    [TestCase(
        "Expected at least one filter, found none: that would redrive everything that is dead-lettered",
        "redrive",
        "--dry-run"
    )]
    [TestCase("Expected --dry-run or --yes, found neither", "redrive", "--step", "email")]
    [TestCase("Expected --reason \"why\", found none", "redrive", "--step", "email", "--yes")]
    [TestCase(
        "Expected a number after --rate, found 'fast'",
        "redrive",
        "--step",
        "email",
        "--rate",
        "fast",
        "--dry-run"
    )]
    [TestCase(
        "Refused (400): ratePerSecond must be 1–1000, got 5000.",
        "redrive",
        "--step",
        "email",
        "--rate",
        "5000",
        "--dry-run"
    )]
    [TestCase(
        "Refused (422): Nothing that is dead-lettered matches.",
        "redrive",
        "--fault",
        "NeverSeen",
        "--yes",
        "--reason",
        "why not"
    )]
    [TestCase(
        "Refused (404): There is no redrive 00000000-0000-0000-0000-000000000001.",
        "redrive",
        "--stop",
        "00000000-0000-0000-0000-000000000001",
        "--reason",
        "x"
    )]
    public async Task What_cannot_be_done_is_said_and_the_exit_code_is_1(string says, params string[] arguments)
    {
        var (code, _, errors) = await DevAsync(arguments);
        Assert.That(code, Is.EqualTo(1), errors);
        Assert.That(errors, Does.Contain(says));
    }

    [Test, Order(3)]
    public async Task A_dashboard_that_is_not_there_is_said_to_be_so()
    {
        var (code, _, errors) = await DevAsync(["failures"], ("DASHBOARD_PORT", "1"));
        Assert.That(code, Is.EqualTo(1), errors);
        Assert.That(errors, Does.Contain("does not answer. Is it up? ./dev up starts it"));
        Assert.That(
            (await DevAsync(["failures"], ("ORDERS_OPERATOR_KEY", "oops"))).Errors,
            Does.Contain("Refused (401)")
        );
    }

    [Test, Order(4)]
    public async Task A_redrive_is_tried_dry_held_back_by_another_and_followed_to_its_end()
    {
        var (code, output, _) = await DevAsync(["redrive", "--fault", "IOException", "--dry-run"]);
        Assert.That(code, Is.Zero);
        Assert.That(
            output,
            Does.StartWith(
                $"{Count} match: {Count} to send, 0 done already, 0 pointless now, 0 that do not fit, 0 in another redrive; 1 s at this rate\n"
            )
        );
        Assert.That(
            output,
            Does.Contain($"  to email: {Count}, behind 0 that wait there. NOT HEALTHY: Its queue has no consumer.\n")
        );

        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new { filter = new { step = "email" }, reason = "Mine." }
        );
        var id = made.Body["redrive"]!["id"]!.GetValue<Guid>().ToString();
        var busy = await DevAsync(["redrive", "--step", "email", "--yes", "--reason", "Mine too."]);
        Assert.That(
            (busy.Code, busy.Errors),
            Is.EqualTo((4, $"Refused: Redrive {id} already has messages of this filter; wait for it, or cancel it.\n"))
        );
        Assert.That(
            (await DevAsync(["redrive", "--cancel", id, "--reason", "Yours."])).Output,
            Does.Contain($"0 waiting, 0 sent, 0 done, 0 failed again, {Count} skipped")
        );
        await UntilDoneAsync($"/api/redrives/{id}");

        await using var host = await WorkAsync("email");
        (code, output, var errors) = await DevAsync([
            "redrive",
            "--step",
            "email",
            "--yes",
            "--reason",
            "The \"disk\" is back.",
        ]);
        Assert.That((code, errors), Is.EqualTo((0, "")), output);
        Assert.That(output, Does.EndWith($"  Done: 0 waiting, 0 sent, {Count} done, 0 failed again, 0 skipped\n"));
        Assert.That(
            (await GetAsync("/api/redrives", ViewerKey)).Body[0]!["redrive"]!["reason"]!.GetValue<string>(),
            Is.EqualTo("The \"disk\" is back.")
        );
    }

    private Task<(int Code, string Output, string Errors)> DevAsync(
        string[] arguments,
        params (string Name, string Value)[] environment
    ) => DevCommand.RunAsync(Dashboard.Address, OperatorsKey, arguments, environment);
}
