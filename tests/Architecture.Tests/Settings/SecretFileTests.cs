using Microsoft.Extensions.Configuration;
using Orders.Infrastructure;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Secrets;

namespace Orders.Architecture.Tests.Settings;

/// <summary>
/// A secret that an orchestrator mounts as a file: <c>NAME_FILE</c>, or a file in <c>Secrets__Directory</c>. A file that
/// cannot be used is named at the start of each host.
/// </summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SecretFileTests : IDisposable
{
    private const string Database = "ConnectionStrings__Postgres";

    // What is not wrong in a case; the start then fails only by what is.
    private static readonly (string Name, string Value)[] Others =
    [
        (Database, "Host=nowhere;Username=orders"),
        ("RabbitMq__Host", "nowhere"),
        ("RabbitMq__Username", "orders"),
        ("RabbitMq__ManagementUri", "http://nowhere:15672"),
        ("Workers__Steps", "inventory"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("orders-secrets-").FullName;

    private static IEnumerable<TestCaseData> Hosts =>
        [new("Workers", "run"), new("Workers", "deploy"), new("Producer.Api", "run"), new("Dashboard", "run")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Hosts))]
    public async Task Each_host_names_every_file_that_it_cannot_use(string host, string command)
    {
        var missing = Path.Combine(_folder, "missing");
        var (code, error) = await HostProcess.RunAsync(
            host,
            [command],
            [
                .. Others,
                ("RabbitMq__Password_FILE", missing),
                ("Database__Password_FILE", Write("empty", "\n")),
                ("Email__Smtp__Password_FILE", _folder),
                ("EMAIL_DB_PASSWORD_FILE", Write("fine", "a7Kq2mZx94-tLw")),
                ("EMAIL_DB_PASSWORD", "a7Kq2mZx94-tLw"),
            ]
        );
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(2), error);
            Assert.That(
                error,
                Does.Contain(
                    $"RabbitMq__Password_FILE must name a file with the value of RabbitMq__Password, got '{missing}', which does not exist; set RabbitMq__Password_FILE"
                )
            );
            Assert.That(error, Does.Contain($"got '{_folder}/empty', which is empty; set Database__Password_FILE"));
            Assert.That(error, Does.Contain($"got '{_folder}', which is a directory; set Email__Smtp__Password_FILE"));
            Assert.That(
                error,
                Does.Contain("EMAIL_DB_PASSWORD and EMAIL_DB_PASSWORD_FILE must not both be set")
                    .And.Not.Contain("a7Kq")
            );
            Assert.That(error, Does.Not.Contain("   at "), "a stack trace");
        });
    }

    [TestCaseSource(nameof(Hosts))]
    public async Task Each_host_names_a_directory_of_secrets_that_is_missing(string host, string command)
    {
        var (code, error) = await HostProcess.RunAsync(
            host,
            [command],
            [.. Others, ("Secrets__Directory", Path.Combine(_folder, "away"))]
        );
        Assert.That(code, Is.EqualTo(2), error);
        Assert.That(
            error,
            Does.Contain("Secrets:Directory must be a directory of files that user")
                .And.Contain($"got '{_folder}/away'")
                .And.Contain("set Secrets__Directory")
        );
    }

    // Weak, so that the refusal shows that each host has read it from its file.
    [TestCaseSource(nameof(Hosts))]
    public async Task Each_host_reads_the_file(string host, string command)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "all"));
        Write("all/RabbitMq__Password", "shortrabbit\n");
        var (code, error) = await HostProcess.RunAsync(
            host,
            [command],
            [
                .. Others,
                ("Database__Password_FILE", Write("database", "shortdata\n")),
                ("Secrets__Directory", Path.Combine(_folder, "all")),
            ]
        );
        Assert.That(code, Is.EqualTo(2), error);
        Assert.That(
            error,
            Does.Contain("Database:Password must be a secret that nobody can guess")
                .And.Contain("expected at least 12 characters, got 9")
                .And.Contain("RabbitMq:Password must be a secret that nobody can guess")
                .And.Contain("expected at least 12 characters, got 11")
                .And.Not.Contain("short")
        );
    }

    [TestCase("secret", "secret")]
    [TestCase("secret\n", "secret")]
    [TestCase("secret\r\n", "secret")]
    [TestCase("secret\n\n", "secret\n")]
    [TestCase(" a;b \"c$d' é\n", " a;b \"c$d' é")]
    [TestCase("\uFEFFsecret", "secret")]
    public void The_value_is_the_text_without_the_line_feed_at_its_end(string text, string value) =>
        Assert.That(Read(("Database:Password_FILE", Write("secret", text)))["Database:Password"], Is.EqualTo(value));

    [TestCase("secret\r\n", "secret")]
    [TestCase(" secret\n", " secret")]
    public void A_file_of_the_directory_is_read_like_a_file_of_its_own(string text, string value)
    {
        Write("RabbitMq__Password", text);
        Assert.That(Read(("Secrets:Directory", _folder))["RabbitMq:Password"], Is.EqualTo(value));
    }

    [Test]
    public void An_empty_file_of_the_directory_is_refused_and_does_not_hide_a_variable()
    {
        Write("RabbitMq__Password", "\n");
        File.WriteAllBytes(Path.Combine(_folder, "client.pfx"), [0x80, 0xff]);
        Assert.That(
            () => Read(("Secrets:Directory", _folder), ("RabbitMq:Password", "from the variable")),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains($"got '{_folder}/RabbitMq__Password', which is empty")
                .And.Message.Not.Contains("client.pfx")
        );
    }

    [Test]
    public void An_empty_variable_is_as_good_as_none()
    {
        var configuration = Read(
            ("Database:Password", ""),
            ("Database:Password_FILE", Write("secret", "from the file")),
            ("RabbitMq:Password", "from the variable"),
            ("RabbitMq:Password_FILE", "")
        );
        Assert.That(configuration["Database:Password"], Is.EqualTo("from the file"));
        Assert.That(configuration["RabbitMq:Password"], Is.EqualTo("from the variable"));
    }

    [TestCase("SSL_CERT_FILE"), TestCase("SMTP_PASSWORD_FILE"), TestCase("GRAFANA:KEY_FILE")]
    public void A_variable_of_somebody_else_is_left_alone(string name) =>
        Assert.That(Read((name, "/nowhere"))[name[..^"_FILE".Length]], Is.Null);

    [TestCase("a\0b", "contains NUL")]
    [TestCase("", "is empty")]
    public void A_file_without_a_usable_secret_is_refused(string text, string says) =>
        Assert.That(
            () => Read(("RabbitMq:Password_FILE", Write("secret", text))),
            Throws.TypeOf<InvalidConfigurationException>().With.Message.Contain(says)
        );

    [Test]
    public void A_file_that_is_no_text_or_too_long_is_refused()
    {
        var (binary, huge) = (Path.Combine(_folder, "binary"), Path.Combine(_folder, "huge"));
        File.WriteAllBytes(binary, [0x80, 0xff, 0xfe]);
        File.WriteAllBytes(huge, new byte[65 * 1024]);
        var refused = Assert.Throws<InvalidConfigurationException>(() =>
            Read(("RabbitMq:Password_FILE", binary), ("Database:Password_FILE", huge))
        );
        Assert.That(refused.Message, Does.Contain("is not UTF-8").And.Contain("has more than 64 KiB"));
    }

    private static ConfigurationManager Read(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        configuration.AddSecretFiles(OrdersSettings.Known);
        return configuration;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
