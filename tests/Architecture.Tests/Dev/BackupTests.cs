using System.Security.Cryptography;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// What <c>./dev backup</c> and <c>./dev restore</c> refuse, each before anything is made. That a restored system has
/// everything is shown by <c>./dev drill restore</c>, on real servers.
/// </summary>
[Platform("Linux")]
internal sealed class BackupTests
{
    private const string Migration = "20260101000000_Initial";
    private const string Migrations = "src/Infrastructure/Orders/Migrations";

    private Clone _clone = null!;

    [SetUp]
    public void Copy()
    {
        _clone = new Clone();
        Directory.CreateDirectory(Path.Combine(_clone.Folder, Migrations));
        File.WriteAllText(Path.Combine(_clone.Folder, Migrations, $"{Migration}.cs"), "");
        WriteBackup(Migration, "PERSONAL_DATA_SECRET=then\n");
    }

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task A_system_with_data_is_never_written_over()
    {
        _clone.Answer("volume ls *", "orders_postgres\norders_rabbitmq\norders_ledgers\n");
        var answer = await RefusedAsync();
        Assert.That(
            answer.Errors,
            Does.StartWith(
                "Project 'orders' is not empty: it has 0 containers and the volumes orders_postgres orders_rabbitmq. Nothing was changed.\n"
            )
        );
        Assert.That(answer.Errors, Does.Contain("./dev down --volumes"));
        Assert.That(answer.Errors, Does.Contain("another COMPOSE_PROJECT_NAME"));
    }

    [Test]
    public async Task A_RabbitMQ_of_before_alone_is_data_too()
    {
        _clone.Answer("volume ls *", "orders_rabbitmq\n");
        Assert.That((await RefusedAsync()).Errors, Does.Contain("the volumes orders_rabbitmq"));
    }

    [Test]
    public async Task A_volume_that_somebody_made_without_labels_is_data_too()
    {
        _clone.Answer("volume ls *", "orders_postgres\n");
        _clone.Answer("volume ls *label=*", "");
        Assert.That((await RefusedAsync()).Errors, Does.Contain("the volumes orders_postgres"));
    }

    [Test]
    public async Task A_system_that_runs_is_never_written_over()
    {
        _clone.Answer("ps -aq *", "c1\nc2\n");
        Assert.That((await RefusedAsync()).Errors, Does.Contain("it has 2 containers"));
    }

    [Test]
    public async Task A_schema_that_this_version_does_not_know_is_refused_with_the_version_that_knows_it()
    {
        WriteBackup($"{Migration},20270101000000_Later", "PERSONAL_DATA_SECRET=then\n");
        var answer = await RefusedAsync();
        Assert.That(
            answer.Errors,
            Does.StartWith(
                "The backup is of a schema that this version does not know: 20270101000000_Later. It was made by revision c0ffee1234.\n"
            )
        );
        Assert.That(answer.Errors, Does.Contain("git checkout c0ffee1234; ./dev restore backup."));
    }

    [TestCase("orders.dump")]
    [TestCase("orders.env")]
    public async Task A_file_that_was_changed_is_refused(string file)
    {
        File.AppendAllText(Path.Combine(_clone.Folder, "backup", file), "x");
        Assert.That((await RefusedAsync()).Errors, Does.StartWith($"backup/{file} is not what ./dev backup wrote"));
    }

    [Test]
    public async Task A_file_that_is_missing_is_named()
    {
        File.Delete(Path.Combine(_clone.Folder, "backup", "orders.dump"));
        Assert.That((await RefusedAsync()).Errors, Does.StartWith("The backup backup has no orders.dump."));
    }

    [Test]
    public async Task Another_secret_of_personal_data_is_refused_and_an_earlier_one_is_not()
    {
        _clone.Env = "PERSONAL_DATA_SECRET=now\n";
        var answer = await RefusedAsync();
        Assert.That(answer.Errors, Does.StartWith("PERSONAL_DATA_SECRET of .env is not the one"));
        Assert.That(answer.Errors, Does.Contain("PERSONAL_DATA_PREVIOUS_SECRETS"));

        _clone.Env = "PERSONAL_DATA_SECRET=now\nPERSONAL_DATA_PREVIOUS_SECRETS=older,then\n";
        answer = await _clone.RunAsync("restore", "backup");
        Assert.That(answer.Output, Does.Match(@"(?m)^Passwords \(\.env\) +[\d.]+ s  \(kept\)$"), answer.Text);
    }

    [Test]
    public async Task Where_there_is_no_env_that_of_the_backup_is_taken_and_nobody_else_may_read_it()
    {
        _clone.Answer("compose up *", "no server\n", code: 1);
        var answer = await _clone.RunAsync("restore", "backup");
        Assert.That(answer.Code, Is.EqualTo(2), answer.Text);
        Assert.That(_clone.Env, Does.StartWith("PERSONAL_DATA_SECRET=then\n"));
        if (!OperatingSystem.IsWindows())
            Assert.That(
                File.GetUnixFileMode(Path.Combine(_clone.Folder, ".env")),
                Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite)
            );
    }

    [Test]
    public async Task A_restore_that_fails_removes_what_it_made()
    {
        _clone.Answer("ps -q *service=postgres", "c1\n");
        _clone.Answer("exec -i c1 pg_restore *", "pg_restore: error: unexpected end of file\n", code: 1);
        var answer = await _clone.RunAsync("restore", "backup");
        Assert.That(answer.Code, Is.EqualTo(2), answer.Text);
        Assert.That(answer.Errors, Does.StartWith("pg_restore: error: unexpected end of file\n"));
        Assert.That(
            _clone.Calls,
            Does.EndWith("compose rm --stop --force --volumes postgres\nvolume rm orders_postgres\n")
        );
    }

    [Test]
    public async Task A_last_number_that_lies_behind_the_backup_is_refused()
    {
        _clone.Answer("ps -q *service=postgres", "c1\n");
        var answer = await _clone.RunAsync("restore", "backup", "--last-invoice", "41");
        Assert.That(answer.Code, Is.EqualTo(2), answer.Text);
        Assert.That(
            answer.Errors,
            Does.StartWith("The last number of 'invoice' in the backup is 42; you said that 41 was the last one.")
        );
    }

    [Test]
    public async Task Roles_that_people_made_are_restored_with_their_names()
    {
        var manifest = Path.Combine(_clone.Folder, "backup", "manifest");
        File.WriteAllText(
            manifest,
            (await File.ReadAllTextAsync(manifest)).Replace(
                "roles=orders_email",
                "roles=orders_email,Ada Reports-2",
                StringComparison.Ordinal
            )
        );
        _clone.Answer("ps -q *service=postgres", "c1\n");
        await _clone.RunAsync("restore", "backup");
        Assert.That(_clone.Calls, Does.Contain("create role \"orders_email\" login"));
        Assert.That(_clone.Calls, Does.Contain("create role \"Ada Reports-2\" login"));
    }

    [TestCase("restore")]
    [TestCase("scale")]
    public async Task A_drill_never_destroys_the_installation_that_the_shell_happens_to_name(string drill)
    {
        _clone.Setting("COMPOSE_PROJECT_NAME", "orders");
        var answer = await _clone.RunAsync("drill", drill);
        Assert.That(answer.Code, Is.EqualTo(1), answer.Text);
        Assert.That(answer.Errors, Does.StartWith("Expected a COMPOSE_PROJECT_NAME with -drill in it, found 'orders'"));
        Assert.That(_clone.Calls, Is.Empty);
    }

    [Test]
    public async Task A_backup_of_nothing_says_so()
    {
        _clone.Env = "X=1\n";
        var answer = await _clone.RunAsync("backup");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(answer.Errors, Does.StartWith("Project 'orders' has no running PostgreSQL that takes writes.\n"));
        Assert.That(Directory.Exists(Path.Combine(_clone.Folder, "backups")), Is.False);
    }

    [Test]
    public async Task A_backup_is_never_written_over()
    {
        _clone.Env = "X=1\n";
        var answer = await _clone.RunAsync("backup", "backup");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(answer.Errors, Does.StartWith("Expected a folder that does not exist, found 'backup'."));
    }

    // Refused, and no container or volume made or removed.
    private async Task<Answer> RefusedAsync()
    {
        var answer = await _clone.RunAsync("restore", "backup");
        Assert.That(answer.Code, Is.EqualTo(2), answer.Text);
        Assert.That(_clone.Calls, Does.Not.Match("(?m)^(compose (up|down|rm)|volume rm)"));
        return answer;
    }

    private void WriteBackup(string migrations, string env)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_clone.Folder, "backup")).FullName;
        File.WriteAllText(Path.Combine(folder, "orders.dump"), "dump");
        File.WriteAllText(Path.Combine(folder, "orders.env"), env);
        File.WriteAllText(
            Path.Combine(folder, "manifest"),
            $"""
            backup=1
            project=orders
            revision=c0ffee1234
            taken=2026-11-29T23:30:00Z
            migrations={migrations}
            roles=orders_email
            orders=1
            last_order=1
            under_way=0
            counter.invoice=42
            sum.orders.dump={Sum("orders.dump")}
            sum.orders.env={Sum("orders.env")}

            """
        );

        string Sum(string file) =>
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, file))));
    }
}
