using System.Text;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The reference of all settings: those of the options classes, and those that are read one by one. Which hosts use a
/// section is found by starting each host with a mistake in every section: a host names those that it reads.
/// </summary>
internal static partial class SettingsPart
{
    private static readonly (string Name, string Host, string[] Arguments)[] Hosts =
    [
        ("API", "Producer.Api", ["run"]),
        ("worker", "Workers", ["run", "--Workers:Steps=*"]),
        ("dashboard", "Dashboard", ["run"]),
        ("deploy", "Workers", ["deploy"]),
    ];

    // Read without an options class. A setting that is missing here is found by its key in the sources.
    private static readonly (string Key, string Type, string Default, string Hosts, string Meaning)[] Single =
    [
        (
            "ConnectionStrings:Postgres",
            "text",
            "required",
            "all",
            "Connection string of PostgreSQL; each process has a login of its own."
        ),
        (
            "Database:Password",
            "text",
            "the one in the connection string",
            "all",
            "Password of that login. Unlike in the connection string, every character stands for itself."
        ),
        ("Secrets:Directory", "text", "none", "all", "Each file in this directory counts as the variable of its name."),
        (
            "Workers:Steps",
            "text",
            "required",
            "worker",
            "The steps of the process, separated by commas, `*` for all, or `none`."
        ),
        ("Workers:Schedules", "true or false", "`true`", "worker", "Whether the process fires the schedules."),
        (
            "Failures:Index",
            "true or false",
            "`true`",
            "dashboard",
            "Whether the process keeps the index of failures. One process of an installation must."
        ),
        ("Redrive:Run", "true or false", "`true`", "dashboard", "Whether the process runs redrives."),
        (
            "Topology:Check",
            "true or false",
            "`true`",
            "dashboard",
            "Whether the process looks for lost queues and bindings."
        ),
        (
            "Deploy:DemoCatalogue",
            "true or false",
            "`false`",
            "deploy",
            "Whether articles and stock of the demo are added."
        ),
        (
            "Deploy:Subscriptions:<queue>",
            "text",
            "none",
            "deploy",
            "The integration events, separated by commas, that go to this queue of another system."
        ),
        (
            "PersonalData:Secret",
            "text",
            "required",
            "API, dashboard",
            "Secret of at least 32 characters with which hashes of mail addresses and posted bodies are made. Only in Development there is a default."
        ),
        (
            "PersonalData:PreviousSecrets",
            "text",
            "none",
            "API, dashboard",
            "Earlier secrets, the latest first, separated by commas: hashes made with them are still recognised."
        ),
        ("ORDERS_API_KEY", "text", "none", "deploy", "Key of the API client `demo`."),
        ("ORDERS_ADMIN_PASSWORD", "text", "none", "deploy", "Password of the operator `admin`."),
        ("ORDERS_OPERATOR_KEY", "text", "none", "deploy", "Key of the operator `admin` for the operator API."),
        (
            "<PROCESS>_DB_PASSWORD",
            "text",
            "none",
            "deploy",
            "PostgreSQL password of a process, such as `EMAIL_DB_PASSWORD`."
        ),
        (
            "<PROCESS>_MQ_PASSWORD",
            "text",
            "none",
            "deploy",
            "RabbitMQ password of a process, such as `EMAIL_MQ_PASSWORD`."
        ),
        (
            "Metrics:Port",
            "port",
            "none, 9464 in the images",
            "all but deploy",
            "Port that serves `/metrics` and nothing else, 1–65535; not one that the host serves. Without it nothing is served."
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "address",
            "none",
            "all but deploy",
            "Where traces, metrics and logs are sent by OTLP. The other `OTEL_*` variables hold as usual."
        ),
        (
            "Logging:LogLevel:<category>",
            "one word",
            "`Information` or `Warning`",
            "all but deploy",
            "Least level of the log lines of a category, such as `Default`, `Orders` or `QueueWorkers`."
        ),
        (
            "Logging:Console:FormatterName",
            "one word",
            "`simple`",
            "all but deploy",
            "Format of the log: `simple` (one line of text), `json` (one object per line, with scopes) or `systemd`."
        ),
        (
            "Logging:LinesPerSecond",
            "number",
            "20",
            "all but deploy",
            "Most log lines of the process in a second, 0–100000; 0 is no bound. What is left out is counted in the event's next line."
        ),
    ];

    private static readonly Lazy<Task<Dictionary<OptionsSection, string[]>>> Users = new(UsersAsync);

    /// <summary>Every setting, the hosts that read it, and the step if only one reads it.</summary>
    public static async Task<IReadOnlyList<(string Key, string Default, string[] Hosts, string? Step)>> AllAsync()
    {
        var users = await Users.Value;
        return
        [
            .. Single.Select(s =>
                (
                    s.Key,
                    s.Default,
                    s.Hosts switch
                    {
                        "all" => [.. Hosts.Select(h => h.Name)],
                        "all but deploy" => [.. Hosts.Select(h => h.Name).Where(name => name != "deploy")],
                        _ => s.Hosts.Split(", "),
                    },
                    (string?)null
                )
            ),
            .. OptionsSection.All.SelectMany(section =>
                section.Settings.Select(s => (s.Key, s.Default, users[section], section.Step))
            ),
        ];
    }

    public static async Task<string> WriteAsync()
    {
        EverySingleSettingIsListed();
        var users = await Users.Value;
        var text = new StringBuilder("### Settings without a section\n\n").Append(
            MarkdownTable.Of(
                ["setting", "value", "default", "used by", "meaning"],
                Single.Select(s => new[] { Names(s.Key), s.Type, s.Default, s.Hosts, s.Meaning })
            )
        );
        foreach (var section in OptionsSection.All.GroupBy(s => s.Name))
            text.Append("\n### Section ")
                .Append(section.Key)
                .Append("\n\n")
                .Append(
                    MarkdownTable.Of(
                        ["setting", "value", "default", "unit", "used by", "meaning"],
                        section.SelectMany(options =>
                            options.Settings.Select(s =>
                                new[]
                                {
                                    Names(s.Key),
                                    Escaped(s.Value),
                                    Escaped(s.Default),
                                    s.Unit,
                                    Text(options, users[options]),
                                    Escaped(s.Meaning),
                                }
                            )
                        )
                    )
                );
        return text.ToString();
    }

    // The key and the environment variable; one name where both are the same.
    private static string Names(string key) =>
        Setting.VariableOf(key) is var variable && variable != key ? $"`{key}`<br>`{variable}`" : $"`{key}`";

    // Outside of code, < would begin an HTML element.
    private static string Escaped(string text) =>
        string.Concat(
            text.Split('`')
                .Select((part, n) => n % 2 == 0 ? part.Replace("<", "&lt;", StringComparison.Ordinal) : $"`{part}`")
        );

    private static void EverySingleSettingIsListed()
    {
        var read = Repository
            .Sources("src")
            .SelectMany(path => ReadByKey().Matches(Repository.Read(path)))
            .Select(m =>
                (
                    Key: m.Groups["kind"].Value == "GetConnectionString"
                        ? $"ConnectionStrings:{m.Groups["key"].Value}"
                        : m.Groups["key"].Value,
                    Default: m.Groups["default"].Value
                )
            )
            .ToArray();
        Assert.That(
            read.Select(r => r.Key).Distinct(),
            Is.EquivalentTo(Single.Select(s => s.Key).Where(key => !key.Contains('<', StringComparison.Ordinal))),
            "settings that the sources read by their key, and the list in SettingsPart"
        );
        foreach (var (key, value) in read.Where(r => r.Default != ""))
            Assert.That(Single.Single(s => s.Key == key).Default, Is.EqualTo($"`{value}`"), key);
    }

    private static string Text(OptionsSection section, string[] hosts) =>
        hosts.Length == Hosts.Length ? "all"
        : section.Step is { } step ? $"{string.Join(", ", hosts)} (step `{step}`)"
        : string.Join(", ", hosts);

    private static async Task<Dictionary<OptionsSection, string[]>> UsersAsync()
    {
        var mistakes = OptionsSection.All.Select(section => section.Mistake).ToArray();
        var named = await Task.WhenAll(
            Hosts.Select(async host =>
            {
                var (code, error) = await HostProcess.RunAsync(
                    host.Host,
                    host.Arguments,
                    // The dashboard reads the mail server only for alerts by mail.
                    [
                        ("ConnectionStrings__Postgres", ""),
                        ("Alerts__MailTo", "ops@orders.example"),
                        .. mistakes.Select(m => (Setting.VariableOf(m.Key), m.Value)),
                    ]
                );
                Assert.That(code, Is.EqualTo(2), $"{host.Name} refuses its configuration: {error}");
                // A setting that is new is not in the list yet that the hosts were built with.
                var read = error.Split('\n').Where(line => !line.Contains("no setting '", StringComparison.Ordinal));
                return (host.Name, Error: string.Join('\n', read));
            })
        );
        return OptionsSection.All.ToDictionary(
            section => section,
            section =>
            {
                var hosts = named
                    .Where(host =>
                        Regex.IsMatch(host.Error, $@"\b{Regex.Escape(Setting.VariableOf(section.Mistake.Key))}\b")
                    )
                    .Select(host => host.Name)
                    .ToArray();
                Assert.That(hosts, Is.Not.Empty, $"hosts that read section {section.Name}");
                return hosts;
            }
        );
    }

    [GeneratedRegex(
        @"[cC]onfiguration(?:\[|\.(?<kind>GetValue|GetConnectionString)(?:<\w+>)?\()""(?<key>[A-Za-z_:]+)""(?:, (?<default>\w+)\))?"
    )]
    private static partial Regex ReadByKey();
}
