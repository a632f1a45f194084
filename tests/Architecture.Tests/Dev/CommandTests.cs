namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// What every <c>./dev</c> command says to wrong arguments, and when nothing runs: a sentence, what was meant perhaps,
/// and nothing built or started before.
/// </summary>
[Platform("Linux")]
internal sealed class CommandTests
{
    private Clone _clone = null!;

    private static IEnumerable<string> All =>
        Repository
            .Find("deploy/dev", "*.sh")
            .Where(f => f.Count(c => c == '/') == 2)
            .Select(Path.GetFileNameWithoutExtension)!;

    [SetUp]
    public void Copy() => _clone = new Clone();

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task Help_lists_each_command_once()
    {
        var answer = await _clone.RunAsync("help");
        Assert.That(answer.Code, Is.Zero);
        foreach (var command in All)
            Assert.That(answer.Output, Does.Match($"(?m)^  {command} +[a-z].*[.:]$"), command);
        Assert.That(
            answer.Output.Split('\n').Count(l => l.StartsWith("  ", StringComparison.Ordinal)),
            Is.EqualTo(All.Count())
        );
    }

    [TestCaseSource(nameof(All))]
    public async Task Each_explains_itself_in_two_ways(string command)
    {
        var answer = await _clone.RunAsync(command, "--help");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output, Does.Contain($"Usage: ./dev {command}"));
        Assert.That((await _clone.RunAsync("help", command)).Output, Is.EqualTo(answer.Output));
        Assert.That(_clone.Calls, Is.Empty);
    }

    [TestCase("Expected a command, found 'pu'; did you mean 'up'?", "pu")]
    [TestCase("Expected a command, found 'psot'; did you mean 'post'?", "help", "psot")]
    [TestCase("Expected a command, found 'xylophone'. './dev help' lists the commands.", "xylophone")]
    [TestCase("found '--scael'; did you mean '--scale'? See ./dev up --help.", "up", "--scael", "email=3")]
    [TestCase("found '--observabilty'; did you mean '--observability'?", "up", "--observabilty")]
    [TestCase("found '--volume'; did you mean '--volumes'?", "down", "--volume")]
    [TestCase("found '--nowait'; did you mean '--no-wait'?", "post", "--nowait")]
    [TestCase("found '--sede'; did you mean '--seed'?", "chaos", "--sede", "1")]
    [TestCase("found '--aginst'; did you mean '--against'?", "bench", "--aginst", "bullmq")]
    [TestCase("found 'crash-pionts'; did you mean 'crash-points'?", "verify", "crash-pionts")]
    [TestCase("found '--lnog'; did you mean '--long'?", "test", "--lnog")]
    [TestCase("Expected one filter, found 'Inbox'", "test", "Outbox", "Inbox")]
    [TestCase("found '--fxi'; did you mean '--fix'?", "lint", "--fxi")]
    [TestCase("Expected no argument, found 'now'.", "build", "now")]
    [TestCase("Expected --check or no argument, found 'now'.", "env", "now")]
    [TestCase("found '--chekc'; did you mean '--check'?", "env", "--chekc")]
    [TestCase("found '--metric'; did you mean '--metrics'?", "health", "--metric")]
    [TestCase("found '--resaon'; did you mean '--reason'?", "cancel", "O-00000001", "--resaon", "x")]
    [TestCase("found '--resaon'; did you mean '--reason'?", "drain", "c0ffee", "--resaon", "x")]
    [TestCase("found '--resaon'; did you mean '--reason'?", "pause", "email", "--resaon", "x")]
    [TestCase("found 'Emial'; did you mean 'email'?", "pause", "Emial", "--reason", "x")]
    [TestCase("found '--stpe'; did you mean '--step'?", "failures", "--stpe", "email")]
    [TestCase("found '--dryrun'; did you mean '--dry-run'?", "redrive", "--step", "email", "--dryrun")]
    [TestCase("found '--totl'; did you mean '--total'?", "limit", "email", "--totl", "3")]
    [TestCase("found 'creat'; did you mean 'create'?", "schedules", "creat")]
    [TestCase("found '--crn'; did you mean '--cron'?", "schedules", "preview", "--crn", "@daily")]
    [TestCase("found '--lst'; did you mean '--list'?", "replay", "--lst")]
    [TestCase("found 'rotaet'; did you mean 'rotate'?", "keys", "rotaet")]
    [TestCase("found '--scpoes'; did you mean '--scopes'?", "keys", "create", "shop", "--scpoes", "orders:read")]
    [TestCase("found 'disabel'; did you mean 'disable'?", "operators", "disabel")]
    [TestCase("Expected one folder, found 'a' and 'b'.", "backup", "a", "b")]
    [TestCase("found '--wiat'; did you mean '--wait'?", "restore", "--wiat", "3")]
    [TestCase("found 'resotre'; did you mean 'restore'?", "drill", "resotre")]
    [TestCase("found '--odrers'; did you mean '--orders'?", "drill", "restore", "--odrers", "3")]
    public async Task What_was_meant_is_proposed_before_anything_is_done(string says, params string[] command)
    {
        var answer = await _clone.RunAsync(command);
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Errors, Does.Contain(says));
        Assert.That(answer.Output, Is.Empty);
        Assert.That(_clone.Calls, Is.Empty, "called docker");
    }

    [TestCase("post")]
    [TestCase("failures")]
    [TestCase("redrive", "--step", "email", "--dry-run")]
    [TestCase("replay", "--list")]
    [TestCase("cancel", "O-00000001", "--reason", "x")]
    [TestCase("pause", "email", "--reason", "x")]
    [TestCase("resume", "email", "--reason", "x")]
    [TestCase("limit", "email", "--reset", "--reason", "x")]
    [TestCase("drain", "c0ffee", "--reason", "x")]
    [TestCase("undrain", "c0ffee", "--reason", "x")]
    [TestCase("keys", "list")]
    [TestCase("operators", "list")]
    public async Task Nothing_that_runs_is_said_in_two_lines_at_most(params string[] command)
    {
        var answer = await _clone.RunAsync(command);
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(
            answer.Errors,
            Does.Match("Expected ORDERS_(API|OPERATOR)_KEY in .env or in the environment, found none.\nRun ./dev up")
        );
        Assert.That(answer.Text.Trim().Split('\n'), Has.Length.EqualTo(2), answer.Text);

        Assert.That((await _clone.RunAsync("env")).Code, Is.Zero);
        answer = await _clone.RunAsync(command);
        Assert.That(answer.Code, Is.EqualTo(1), answer.Text);
        // curl's own line, and ours.
        Assert.That(answer.Errors, Does.Contain("Is it up? ./dev up"));
        Assert.That(answer.Text.Trim().Split('\n'), Has.Length.LessThanOrEqualTo(2), answer.Text);
    }

    [Test]
    public async Task Lint_says_what_it_needs_Node_for()
    {
        _clone.Command("dotnet", "#!/usr/bin/env bash\necho 10.0.100\n");
        _clone.Command("npm", "#!/usr/bin/env bash\necho 9.2.0\n");
        _clone.Command("node", "#!/usr/bin/env bash\necho v18.20.4\n");
        var answer = await _clone.RunAsync("lint");
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(
            answer.Errors,
            Does.StartWith(
                "Expected Node.js 20 or newer with npm, found v18.20.4: markdownlint and cspell run on it.\n"
            )
        );
        Assert.That(answer.Text, Does.Not.Contain("bench"));
    }

    [Test]
    public async Task Chaos_needs_a_C_compiler()
    {
        _clone.Command("dotnet", "#!/usr/bin/env bash\necho 10.0.100\n");
        _clone.Command("cc", "#!/usr/bin/env bash\nexit 1\n");
        var answer = await _clone.RunAsync("chaos");
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Errors, Does.StartWith("Expected a C compiler 'cc'"));
        Assert.That(answer.Errors, Does.Contain("apt-get install gcc libc6-dev"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Chaos_that_does_not_start_leaves_no_containers_unless_asked_to(bool keep)
    {
        _clone.Command("dotnet", "#!/usr/bin/env bash\necho 10.0.100\n");
        _clone.Command("cc", "#!/usr/bin/env bash\nexit 0\n");
        _clone.Answer("compose up *", "container orders-chaos-email-1 is unhealthy\n", code: 1);
        var answer = await _clone.RunAsync(keep ? ["chaos", "--keep"] : ["chaos"]);
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Output, Does.Match("(?m)^Starting +failed"), answer.Text);
        var afterwards = _clone.Calls[_clone.Calls.IndexOf("compose up", StringComparison.Ordinal)..];
        Assert.That(
            afterwards.Contains("compose down --volumes --remove-orphans\n", StringComparison.Ordinal),
            Is.EqualTo(!keep)
        );
        var clocks = Directory.GetDirectories(
            Path.Combine(_clone.Folder, "artifacts/chaos"),
            "clocks",
            SearchOption.AllDirectories
        );
        Assert.That(
            Path.GetRelativePath(_clone.Folder, clocks.Single()),
            Does.Match(@"^artifacts/chaos/[\d-]+/clocks$")
        );
        Assert.That(Directory.GetFiles(clocks.Single()).Select(Path.GetFileName), Does.Contain("email"));
    }

    [Test]
    public async Task Down_says_what_it_left()
    {
        _clone.Answer("volume ls *", "orders_postgres\norders_rabbitmq\n");
        var answer = await _clone.RunAsync("down");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output, Does.Contain("Project 'orders' is stopped; its data stays in 2 volumes."));
        _clone.Answer("volume ls *", "");
        answer = await _clone.RunAsync("down", "--volumes");
        Assert.That(answer.Output, Does.EndWith("Project 'orders' is stopped, its data is removed.\n"));
        Assert.That(_clone.Calls, Does.Contain("compose down --remove-orphans --volumes"));
        Assert.That(_clone.Env, Is.Empty, "a new .env would hide that the old one is lost");
    }

    [Test]
    public async Task Down_does_not_claim_what_did_not_happen()
    {
        _clone.Answer("volume ls *", "orders_postgres\n");
        var answer = await _clone.RunAsync("down", "--volumes");
        Assert.That(answer.Code, Is.EqualTo(1), answer.Text);
        Assert.That(answer.Errors, Does.Contain("1 volumes of project 'orders' are still there: orders_postgres."));
    }

    [Test]
    public async Task Logs_of_nothing_and_of_an_unknown_service()
    {
        var answer = await _clone.RunAsync("logs");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(answer.Errors, Does.StartWith("Project 'orders' has no containers, so there are no logs."));
        _clone.Answer("ps -a --filter *", "email\napi\n");
        answer = await _clone.RunAsync("logs", "emial");
        Assert.That(
            answer.Errors,
            Does.StartWith("Expected a service with containers, found 'emial'; did you mean 'email'?")
        );
        Assert.That((await _clone.RunAsync("logs", "email", "--since", "5m")).Code, Is.Zero);
        Assert.That(_clone.Calls, Does.EndWith("compose logs --tail 200 --no-color email --since 5m\n"));
    }

    [Test]
    public async Task Health_of_nothing_and_of_an_unknown_service()
    {
        var answer = await _clone.RunAsync("health");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(answer.Errors, Does.StartWith("Project 'orders' has no containers.\nStart it with ./dev up."));
        _clone.Answer("ps -a --filter *", "email c1 running Up 2 minutes (healthy)\n");
        answer = await _clone.RunAsync("health", "emial");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(
            answer.Errors,
            Does.StartWith("Expected a service with containers, found 'emial'; did you mean 'email'?")
        );
    }

    [Test]
    public async Task Health_says_of_each_container_whether_it_is_ready_and_why_not()
    {
        const string refused = "RabbitMQ refused the login of user 'orders_email'.";
        _clone.Answer(
            "ps -a --filter *",
            "email c1 running Up 2 minutes (unhealthy)\nemail c2 running Up 2 minutes (healthy)\n"
                + "invoice c3 exited Exited (2) 3 minutes ago\nmigrate c4 exited Exited (0) 4 minutes ago\n"
                + "postgres c5 running Up 5 minutes (healthy)\nrabbitmq c6 running Up 5 minutes (unhealthy)\n"
                + "webhook c7 running Up 2 minutes (healthy)\n"
        );
        _clone.Answer("exec c7 *", "Connection refused\n", code: 1);
        _clone.Answer("exec c2 */health/ready", "HTTP/1.1 200 OK\r\n\r\n{}");
        _clone.Answer(
            "exec c1 *",
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"
                + """{"status":"Unhealthy","checks":{"database":{"status":"Healthy","detail":null},"""
                + $"\"masstransit-bus\":{{\"status\":\"Unhealthy\",\"detail\":\"{refused}\"}}}}}}"
        );
        var answer = await _clone.RunAsync("health");
        Assert.That(answer.Code, Is.EqualTo(1), answer.Text);
        Assert.That(
            answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => string.Join(' ', Words(l))),
            Is.EqualTo([
                "email c1 not ready (503)",
                $"masstransit-bus is Unhealthy: {refused}",
                "email c2 ready",
                "invoice c3 Exited (2) 3 minutes ago",
                "postgres c5 Up 5 minutes (healthy)",
                "rabbitmq c6 Up 5 minutes (unhealthy)",
                "webhook c7 no answer: Connection refused",
            ])
        );

        _clone.Answer("ps -a --filter *", "email c2 running Up 2 minutes (healthy)\n");
        answer = await _clone.RunAsync("health", "email");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        _clone.Answer("exec c2 */metrics", "HTTP/1.1 200 OK\r\n\r\nqueueworkers_step_consuming 1\n");
        answer = await _clone.RunAsync("health", "--metrics");
        Assert.That(answer.Output, Is.EqualTo("# email c2\nqueueworkers_step_consuming 1\n"), answer.Text);

        static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
