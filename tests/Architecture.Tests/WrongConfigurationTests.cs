namespace Orders.Architecture.Tests;

/// <summary>
/// A host with mistakes in several sections names all of them in one message and ends with exit code 2; the operator
/// restarts it once, not once per section. Each case has a mistake in each section that the host reads.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class WrongConfigurationTests
{
    private const string Database = "ConnectionStrings__Postgres";

    [Test]
    public async Task Workers_name_the_mistakes_of_all_sections() =>
        await RefusesAsync(
            "Workers",
            "run",
            ("Workers__Steps", "emial,warehouse"),
            (Database, ""),
            ("Database__MaxConnections", "0"),
            ("Outbox__BatchSize", "0"),
            ("RabbitMq__Host", ""),
            ("Warehouse__Url", "nowhere"),
            ("Poison__SuspectAfter", "0"),
            ("Shutdown__Within", "00:00:00"),
            ("Health__ConsumingWithin", "00:00:00"),
            ("Schedules__PollInterval", "00:00:00"),
            ("Retention__TimeLimit", "00:00:00"),
            ("Completeness__Deadline", "00:00:00")
        );

    [Test]
    public async Task Workers_name_the_mistakes_of_all_steps() =>
        await RefusesAsync(
            "Workers",
            "run",
            ["--Workers:Steps=*"],
            ("Email__From", "nobody"),
            ("Invoice__FontDirectory", "/nowhere"),
            ("Warehouse__Url", "nowhere")
        );

    [Test]
    public async Task The_API_names_the_mistakes_of_all_sections() =>
        await RefusesAsync(
            "Producer.Api",
            "run",
            (Database, ""),
            ("Database__MaxConnections", "0"),
            ("Outbox__BatchSize", "0"),
            ("Outbox__MaxRows", "0"),
            ("RabbitMq__Host", ""),
            ("Shutdown__Within", "00:00:00"),
            ("Api__RateLimit__PerSecond", "0"),
            ("Api__Events__MostWatchers", "-1"),
            ("PersonalData__Secret", "short")
        );

    [Test]
    public async Task The_dashboard_names_the_mistakes_of_all_sections() =>
        await RefusesAsync(
            "Dashboard",
            "run",
            (Database, ""),
            ("Database__MaxConnections", "0"),
            ("Outbox__BatchSize", "0"),
            ("RabbitMq__Host", ""),
            ("RabbitMq__ManagementUri", ""),
            ("Shutdown__Within", "00:00:00"),
            ("Failures__Interval", "00:00:00"),
            ("Alerts__MailTo", "nobody"),
            ("PersonalData__Secret", "short")
        );

    [Test]
    public async Task The_deployment_names_the_mistakes_of_all_sections() =>
        await RefusesAsync(
            "Workers",
            "deploy",
            (Database, ""),
            ("Database__MaxConnections", "0"),
            ("RabbitMq__Host", ""),
            ("RabbitMq__ManagementUri", ""),
            ("Deploy__Subscriptions__crm", "ParcelSent")
        );

    [Test]
    public async Task A_value_of_another_type_is_one_of_the_mistakes()
    {
        var (code, error) = await HostProcess.RunAsync(
            "Workers",
            ["run"],
            (Database, ""),
            ("Outbox__BatchSize", "many"),
            ("Workers__Schedules", "maybe")
        );
        Assert.That(
            error,
            Does.Contain($"set {Database}")
                .And.Contain("'many' at 'Outbox:BatchSize'")
                .And.Contain("'maybe' at 'Workers:Schedules'")
        );
        Assert.That(code, Is.EqualTo(2), error);
    }

    private static Task RefusesAsync(string host, string command, params (string Name, string Value)[] mistakes) =>
        RefusesAsync(host, command, [], mistakes);

    private static async Task RefusesAsync(
        string host,
        string command,
        string[] arguments,
        params (string Name, string Value)[] mistakes
    )
    {
        var (code, error) = await HostProcess.RunAsync(host, [command, .. arguments], mistakes);
        var problems = error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Multiple(() =>
        {
            foreach (var (name, _) in mistakes)
                Assert.That(problems, Has.Some.Match($@"^- .*(set|rename) {name}\b"), error);
            Assert.That(problems.Skip(1), Is.Unique, "each problem is told once");
            Assert.That(problems[0], Is.EqualTo($"The configuration has {problems.Length - 1} problem(s):"));
            Assert.That(code, Is.EqualTo(2), error);
        });
    }
}
