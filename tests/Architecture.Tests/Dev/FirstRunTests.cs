using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// What goes wrong when somebody starts the project for the first time. Each trap is answered in at most 15 lines by
/// what was found, why, and what to do; a failed stage names its full log.
/// </summary>
[Platform("Linux")]
internal sealed partial class FirstRunTests
{
    private const string Project = "label=com.docker.compose.project=orders";

    private Clone _clone = null!;

    [SetUp]
    public void Copy() => _clone = new Clone();

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task Without_a_trap_everything_starts()
    {
        var answer = await _clone.RunAsync("up", "--scale", "email=3", "--scale=invoice=2");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(_clone.Calls, Does.Contain("--remove-orphans --scale email=3 --scale invoice=2"));
        Assert.That(answer.Output, Does.Match(@"(?m)^Up in [\d.]+ s\. Try \./dev post; stop with \./dev down\.$"));
    }

    // An older version may have had it: no reason not to start.
    [Test]
    public async Task A_variable_without_effect_is_named_and_everything_starts()
    {
        _clone.Env = "Emial__From=x@example.com\n";
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Errors, Does.Contain("  .env: No setting 'Emial__From'; did you mean 'Email__From'?"));
    }

    [TestCase(
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
        "The Docker engine does not run",
        "Start it: 'sudo systemctl start docker'"
    )]
    [TestCase(
        "permission denied while trying to connect to the Docker daemon socket",
        "The Docker engine refuses user ada",
        "sudo usermod -aG docker ada"
    )]
    public async Task An_engine_that_does_not_answer(string says, string found, string remedy)
    {
        _clone.Answer("version *", says + "\n", code: 1);
        await ExpectAsync([found, remedy], "up");
        await ExpectAsync([found, remedy], "down");
        await ExpectAsync([found, remedy], "logs");
    }

    [Test]
    public async Task An_engine_elsewhere_that_does_not_answer()
    {
        _clone.Setting("DOCKER_HOST", "tcp://far:2375");
        _clone.Answer("version *", "error during connect: no such host\n", code: 1);
        await ExpectAsync(["DOCKER_HOST 'tcp://far:2375'", "no such host", "unset DOCKER_HOST"], "up");
    }

    // This user may not install or start one, so set-up must take what answers.
    [Test]
    public async Task An_engine_that_answers_at_the_second_try()
    {
        _clone.FailOnce("version *");
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output, Does.Match(@"(?m)^Docker engine +[\d.]+ s  \(API 1\.47\)$"));
        Assert.That(Directory.GetFiles(_clone.Cache), Is.Empty, "what is left behind");
    }

    [Test]
    public async Task An_engine_that_is_too_old()
    {
        _clone.Answer("version *", "1.39\n");
        await ExpectAsync(["too old: its API has version 1.39; Orders needs 1.41", "Update Docker"], "up");
    }

    [TestCase("2.20.3", "found in version 2.20.3; Orders needs 2.24.0 or newer")]
    [TestCase("", "not found; Orders needs 2.24.0 or newer")]
    public async Task Compose_that_is_too_old_or_missing(string version, string found)
    {
        _clone.Answer("compose version --short", version, code: version.Length == 0 ? 1 : 0);
        await ExpectAsync([found, "Install it: https://docs.docker.com/compose/install/"], "up");
    }

    [Test]
    public async Task Too_little_memory()
    {
        _clone.Answer("info --format {{.MemTotal}}", $"{1500L << 20}\n");
        await ExpectAsync(["has 1500 MB of memory; all services together need 2000 MB", "Give it more"], "up");
        _clone.Setting("MINIMUM_MEMORY_MB", "1500");
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero);
    }

    [Test]
    public async Task Too_little_memory_that_is_free()
    {
        _clone.Setting("MINIMUM_AVAILABLE_MEMORY_MB", "99999999");
        await ExpectAsync(["MB of memory free; all services together need at least", "Stop other programs"], "up");
        // What runs already needs nothing more.
        _clone.Answer($"ps -q --filter {Project}", "c0ffee\n");
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero);
    }

    [Test]
    public async Task Too_little_disk()
    {
        _clone.Command("df", "#!/usr/bin/env bash\nprintf 'Filesystem\\nx 1 1 %s 1%% /\\n' $((1500 * 1024))\n");
        await ExpectAsync(["has 1500 MB left; ./dev up needs 2000 MB", "docker system prune"], "up");
        _clone.Answer("image inspect *-api", "", code: 1);
        await ExpectAsync(["has 1500 MB left; ./dev up needs 6000 MB"], "up");
        await ExpectAsync(["has 1500 MB left; ./dev chaos needs 6000 MB"], "chaos");
        // The layers of another installation's images are this one's too.
        _clone.Answer("images -q orders*-api", "c0ffee\n");
        await ExpectAsync(
            ["has 1500 MB left; ./dev chaos needs 2000 MB", "MINIMUM_DISK_MB=1500 ./dev chaos tries it"],
            "chaos"
        );
    }

    [Test]
    public async Task A_port_that_another_program_holds()
    {
        // The one beside it is proposed: none that the kernel may give away meanwhile.
        var port = Clone.FreePort().ToString(CultureInfo.InvariantCulture);
        using var other = new TcpListener(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
        other.Start();
        _clone.Setting("DASHBOARD_PORT", port);
        var answer = await ExpectAsync([$"Port {port} (DASHBOARD_PORT) is taken by", "or use other ports"], "up");
        // The port that it proposes is a free one.
        var proposed = ProposedPort().Match(answer.Text).Groups[1].Value;
        _clone.Setting("DASHBOARD_PORT", proposed);
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero, $"with DASHBOARD_PORT={proposed}");
    }

    [Test]
    public async Task Ports_that_containers_of_another_project_hold_are_named_together()
    {
        var (api, dashboard) = (_clone.Settings["API_PORT"], _clone.Settings["DASHBOARD_PORT"]);
        _clone.Answer($"ps --filter publish={api} *", "shop-api-1 shop\n");
        _clone.Answer($"ps --filter publish={dashboard} *", "shop-dashboard-1 shop\n");
        await ExpectAsync(
            [
                $"Port {api} (API_PORT) is taken by container shop-api-1.",
                $"Port {dashboard} (DASHBOARD_PORT) is taken by container shop-dashboard-1.",
                "Stop what holds them, or use other ports: API_PORT=",
            ],
            "up"
        );
        // Its own containers hold them at every ./dev up but the first.
        _clone.Answer("ps --filter publish=* *", "orders-api-1 orders\n");
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero);
    }

    [TestCase("API_PORT", "http", "API_PORT is 'http'; expected a port from 1 to 65535")]
    [TestCase("API_PORT", "65536", "API_PORT is '65536'")]
    public async Task A_port_that_is_none(string name, string value, string found)
    {
        _clone.Setting(name, value);
        await ExpectAsync([found], "up");
    }

    [Test]
    public async Task One_port_for_two_services()
    {
        _clone.Setting("API_PORT", _clone.Settings["DASHBOARD_PORT"]);
        await ExpectAsync([$"Two settings name port {_clone.Settings["API_PORT"]}, one of them DASHBOARD_PORT"], "up");
    }

    [Test]
    public async Task A_new_clone_beside_the_volumes_of_an_earlier_one()
    {
        _clone.Answer("volume inspect orders_postgres", "[]\n");
        await ExpectAsync(
            [
                "volume orders_postgres exists, and this clone has no .env",
                $"copy the .env that it was made with to {_clone.Folder}/.env",
                "./dev down --volumes",
                "COMPOSE_PROJECT_NAME=orders-2",
            ],
            "up"
        );
        Assert.That(_clone.Env, Is.Empty);
    }

    // The clone has an .env, but the volumes were made from another one.
    [TestCase("", true)]
    [TestCase("c0ffee\n", false)]
    public async Task Volumes_that_another_env_file_made(string running, bool stopsIt)
    {
        Assert.That((await _clone.RunAsync("env")).Code, Is.Zero);
        _clone.Answer("volume inspect orders_postgres", "[]\n");
        _clone.Answer(
            "exec -i *",
            "psql: error: FATAL:  password authentication failed for user \"orders_owner\"\n",
            code: 2
        );
        _clone.Answer("ps -q *service=postgres", running);
        await ExpectAsync(
            ["PostgreSQL does not accept POSTGRES_OWNER_PASSWORD of .env", "copy the .env", "./dev down --volumes"],
            "up"
        );
        Assert.That(_clone.Calls, stopsIt ? Does.Contain("rm -sf postgres") : Does.Not.Contain("rm -sf postgres"));
        Assert.That(_clone.Calls, Does.Not.Contain("compose build"), "minutes that would be wasted");
    }

    [Test]
    public async Task A_password_that_is_missing_in_env_beside_the_data_that_it_opens()
    {
        Assert.That((await _clone.RunAsync("env")).Code, Is.Zero);
        var before = _clone.Env = OwnerPassword().Replace(_clone.Env, "");
        _clone.Answer("volume inspect orders_postgres", "[]\n");
        await ExpectAsync(["volume orders_postgres exists, and .env has no POSTGRES_OWNER_PASSWORD"], "up");
        Assert.That(_clone.Env, Is.EqualTo(before));
    }

    [Test]
    public async Task Any_other_missing_setting_is_added_and_the_rest_stays()
    {
        Assert.That((await _clone.RunAsync("env")).Code, Is.Zero);
        var before = _clone.Env = Regex.Replace(_clone.Env, "(?m)^WAREHOUSE_SECRET=.*\n", "WAREHOUSE_SECRET=\n");
        _clone.Answer("volume inspect *", "[]\n");
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output, Does.Contain("(1 settings added)"));
        Assert.That(_clone.Env, Does.StartWith(before).And.Match("(?m)^WAREHOUSE_SECRET=whsec_.+$"));
    }

    [Test]
    public async Task A_second_up_while_one_runs_and_one_after_it_was_killed()
    {
        // A minimal Debian has no ps.
        _clone.Command("ps", "#!/usr/bin/env bash\nexit 127\n");
        _clone.Hold("compose build");
        using var first = _clone.Start("up");
        Assert.That(() => _clone.Calls, Does.Contain("compose build").After(60_000, 50));
        var found = $"Another ./dev up of project 'orders' has been running since";
        await ExpectAsync([found, $"kill {first.Id}"], "up");
        await ExpectAsync([found], "down");

        first.Kill();
        await first.WaitForExitAsync();
        _clone.Release();
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero, "the lock of a killed one is taken over");
        Assert.That(Directory.GetFiles(_clone.Cache, "*.lock*"), Is.Empty);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Of_commands_that_begin_together_one_gets_the_lock(bool aDeadOneHoldsIt)
    {
        if (aDeadOneHoldsIt)
            File.CreateSymbolicLink(Path.Combine(_clone.Cache, "orders.lock"), "4194305 up 00:00:00");
        _clone.Hold("compose build");
        var started = Enumerable.Range(0, 6).Select(_ => _clone.Start("up")).ToList();
        var ended = started.Select(Clone.EndAsync).ToList();
        Assert.That(() => ended.Count(e => e.IsCompleted), Is.EqualTo(5).After(120_000, 50));
        _clone.Release();
        var answers = await Task.WhenAll(ended);
        started.ForEach(p => p.Dispose());
        Assert.That(answers.Count(a => a.Code == 0), Is.EqualTo(1), string.Join('\n', answers.Select(a => a.Text)));
        Assert.That(
            answers.Count(a =>
                a.Errors.StartsWith("Another ./dev up of project 'orders' has been", StringComparison.Ordinal)
            ),
            Is.EqualTo(5)
        );
        Assert.That(Regex.Count(_clone.Calls, "(?m)^compose build$"), Is.EqualTo(1));
        Assert.That(Directory.GetFiles(_clone.Cache, "*.lock*"), Is.Empty);
    }

    // An earlier version's lock is a file.
    [Test]
    public async Task A_file_of_a_dead_command_in_the_place_of_the_lock()
    {
        await File.WriteAllTextAsync(Path.Combine(_clone.Cache, "orders.lock"), "4194305 up 00:00:00\n");
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero);
    }

    [Test]
    public async Task A_lock_that_cannot_be_made()
    {
        _clone.Command(
            "ln",
            "#!/usr/bin/env bash\necho \"ln: failed to create 'x': No space left on device\" >&2\nexit 1\n"
        );
        string[] says = ["orders.lock cannot be made: No space left on device.", "df -h", "sudo chown -R ada"];
        await ExpectAsync(says, "up");
        await ExpectAsync(says, "down", "--volumes");
    }

    [Test]
    public async Task A_lock_that_cannot_be_taken_over()
    {
        var gate = Path.Combine(_clone.Cache, "orders.lock");
        File.CreateSymbolicLink(gate, "4194305 up 00:00:00");
        File.CreateSymbolicLink(gate + ".takeover", "4194305");
        await ExpectAsync([$"{gate} was left by a command that died", $"rm -f '{gate}' '{gate}.takeover'"], "up");
    }

    [Test]
    public async Task A_folder_for_downloads_and_logs_that_cannot_be_written()
    {
        Directory.CreateDirectory(Path.Combine(_clone.Folder, "cache"));
        await File.WriteAllTextAsync(Path.Combine(_clone.Folder, "cache/orders"), "a file");
        await ExpectAsync([$"User ada may not write in {_clone.Folder}/cache/orders", "sudo chown"], "up");
        await ExpectAsync([$"User ada may not write in {_clone.Folder}/cache/orders"], "down", "--volumes");
    }

    [Test]
    public async Task Another_clone_that_runs()
    {
        _clone.Answer($"ps --filter {Project} --format *working_dir*", "/home/ada/elsewhere\n");
        await ExpectAsync(
            ["Project 'orders' is running already, started from /home/ada/elsewhere", "COMPOSE_PROJECT_NAME=orders-2"],
            "up"
        );
    }

    [TestCase("emial=3", "Expected a step after --scale, found 'emial'; did you mean 'email'?")]
    [TestCase(
        "api=2",
        "Expected a step after --scale, found 'api'. Steps: email, inventory, invoice, warehouse, webhook."
    )]
    [TestCase("email", "Expected STEP=N after --scale, such as email=3; found 'email'.")]
    [TestCase("email=many", "Expected STEP=N after --scale, such as email=3; found 'email=many'.")]
    public async Task A_scale_that_is_none(string scale, string found)
    {
        var answer = await _clone.RunAsync("up", "--scale", scale);
        Assert.That((answer.Code, answer.Output), Is.EqualTo((1, "")));
        Assert.That(answer.Errors, Does.StartWith(found));
        Assert.That(_clone.Calls, Is.Empty);
    }

    [TestCase(
        "Error: driver failed: Bind for 127.0.0.1:8080 failed: port is already allocated",
        "A port that the services publish is taken: "
    )]
    [TestCase("write /var/lib/docker/x: no space left on device", "The disk is full")]
    [TestCase(
        "migrate-1 | 28P01: password authentication failed for user \"orders_owner\"",
        "hold data of another clone"
    )]
    [TestCase(
        "rabbitmq-1 | [warning] <0.1> HTTP access denied: user 'orders_admin' - invalid credentials",
        "RabbitMQ refuses orders_admin"
    )]
    [TestCase(
        "migrate-1  | System.Net.Http: RabbitMQ's management API answered 401 to PUT api/vhosts/%2f: not_authorized",
        "RabbitMQ refuses orders_admin"
    )]
    [TestCase(
        "error NU1301: Unable to load the service index for source x",
        "A package or image source did not answer"
    )]
    public async Task A_known_cause_in_the_log_of_a_stage(string line, string found)
    {
        _clone.Answer("compose up *", string.Concat(Enumerable.Repeat("noise\n", 60)) + line + "\n", code: 1);
        _clone.Answer("compose logs *", string.Concat(Enumerable.Repeat("noise\n", 60)));
        await ExpectAsync([found], "up");
    }

    // Whose answer would be to delete the data.
    [TestCase("email-1 | ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.")]
    [TestCase("rabbitmq-1 | [error] <0.1> PLAIN login refused: user 'orders_email' - invalid credentials")]
    [TestCase("email-1 | ACCESS_REFUSED - access to queue 'orders_admin' refused for user 'orders_email'")]
    [TestCase("dashboard-1 | GET http://rabbitmq:15672/api/queues answered 401 (Unauthorized)")]
    public async Task A_refused_login_of_a_worker_is_not_taken_for_foreign_data(string line)
    {
        _clone.Answer("compose up *", "container orders-email-1 is unhealthy\n", code: 1);
        _clone.Answer("compose logs *", line + "\n");
        _clone.Answer($"ps -aq --filter {Project} *oneoff=False", "1\n");
        _clone.Answer("inspect * 1", "email unhealthy 0 false\n");
        _clone.Answer("logs * 1", line + "\n");
        var answer = await ExpectAsync(["Not everything became healthy", "email is unhealthy"], "up");
        Assert.That(answer.Text, Does.Not.Contain("--volumes"));
    }

    [Test]
    public async Task A_service_that_does_not_become_healthy_is_named_with_its_last_error()
    {
        _clone.Answer("compose up *", "container orders-email-1 is unhealthy\n", code: 1);
        _clone.Answer($"ps -aq --filter {Project} *oneoff=False", "1\n2\n3\n");
        _clone.Answer("inspect * 1", "email unhealthy 0 false\n");
        _clone.Answer("inspect * 2", "api healthy 0 false\n");
        _clone.Answer("inspect * 3", "invoice exited 137 true\n");
        _clone.Answer("logs * 1", "Started\nUnhandled exception: the mail host is empty\nStopped\n");
        await ExpectAsync(
            [
                "  email is unhealthy (exit code 0): Unhandled exception: the mail host is empty",
                "  invoice is exited (exit code 137): killed for want of memory",
                "./dev logs SERVICE",
            ],
            "up"
        );
    }

    [Test]
    public async Task Errors_of_a_build_are_shown_without_the_rest_of_its_log()
    {
        _clone.Answer(
            "compose build",
            string.Concat(Enumerable.Range(1, 9).Select(n => $"src/A.cs({n},1): error CS1002: ; expected\n"))
                + string.Concat(Enumerable.Repeat("noise\n", 60)),
            code: 1
        );
        var answer = await ExpectAsync(["src/A.cs(1,1): error CS1002", "... and 4 more"], "up");
        Assert.That(answer.Text, Does.Not.Contain("noise"));
    }

    private async Task<Answer> ExpectAsync(string[] says, params string[] command)
    {
        var answer = await _clone.RunAsync(command);
        Assert.That(answer.Code, Is.Not.Zero, answer.Text);
        foreach (var text in says)
            Assert.That(answer.Errors, Does.Contain(text), string.Join(' ', command));
        Assert.That(answer.Text.Trim().Split('\n'), Has.Length.LessThanOrEqualTo(15), answer.Text);
        if (FullLog().Match(answer.Text) is { Success: true } log)
            Assert.That(log.Groups[1].Value, Does.Exist);
        else
            Assert.That(answer.Output, Does.Not.Contain("failed after"), "a stage that names no log");
        return answer;
    }

    [GeneratedRegex(@"DASHBOARD_PORT=(\d+) \./dev up")]
    private static partial Regex ProposedPort();

    [GeneratedRegex("(?m)^POSTGRES_OWNER_PASSWORD=.*\n")]
    private static partial Regex OwnerPassword();

    [GeneratedRegex("(?m)^Full log: (.*)$")]
    private static partial Regex FullLog();
}
