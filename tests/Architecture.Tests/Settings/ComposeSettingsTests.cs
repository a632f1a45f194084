using Orders.Architecture.Tests.Docs.Generated;
using Orders.Workers;

namespace Orders.Architecture.Tests.Settings;

/// <summary>What a line of <c>.env</c> does in compose: it reaches the services that read it, and no other.</summary>
public sealed class ComposeSettingsTests
{
    private static readonly string[] StepNames = [.. Steps.Catalogue.Steps.Select(s => s.Name)];

    // Secrets that a service may know, beside its own two passwords.
    private static readonly Dictionary<string, string[]> MoreSecrets = new()
    {
        ["api"] = ["PERSONAL_DATA_SECRET"],
        ["dashboard"] = ["AUDIT_SIGNING_KEY", "PERSONAL_DATA_SECRET"],
        ["warehouse"] = ["WAREHOUSE_SECRET"],
        ["outside-world"] = ["WAREHOUSE_SECRET"],
        ["postgres"] = ["POSTGRES_OWNER_PASSWORD"],
        ["rabbitmq"] = ["RABBITMQ_ADMIN_PASSWORD"],
    };

    [Test]
    public async Task Every_setting_in_env_reaches_the_services_that_read_it_and_no_other()
    {
        var all = await SettingsPart.AllAsync();
        var names = all.SelectMany(s => SettingsFiles.Names(s.Key)).Except(SettingsFiles.Fixed).ToArray();
        var services = await ComposeConfig.OfAsync(Env(names.Select(name => $"{name}=set {name}")));
        Assert.Multiple(() =>
        {
            foreach (var setting in all)
            {
                string[] readers = [.. setting.Hosts.SelectMany(host => ServicesOf(host, setting.Step))];
                foreach (var name in SettingsFiles.Names(setting.Key).Except(SettingsFiles.Fixed))
                {
                    foreach (var reader in readers)
                        Assert.That(services[reader].GetValueOrDefault(name), Is.EqualTo($"set {name}"), reader);
                    Assert.That(
                        services.Where(s => s.Value.ContainsKey(name)).Select(s => s.Key),
                        Is.SubsetOf([.. readers, "migrate"]),
                        $"services that get {name}"
                    );
                }
            }
        });
    }

    [Test]
    public async Task Every_fixed_setting_has_a_value_in_the_services_that_read_it()
    {
        var all = await SettingsPart.AllAsync();
        var services = await ComposeConfig.OfAsync(Env(SettingsFiles.Fixed.Select(name => $"{name}=of all")));
        Assert.Multiple(() =>
        {
            foreach (var (name, service) in Fixed(all))
                Assert.That(services[service].GetValueOrDefault(name), Is.Not.Null.And.Not.EqualTo("of all"), service);
        });
    }

    [Test]
    public void No_tmpfs_grows_until_the_memory_of_its_container_is_full()
    {
        string[] files = ["docker-compose.yml", .. Repository.Find("deploy", "compose.yml")];
        string[] mounts =
        [
            .. files.SelectMany(f => Repository.Read(f).Split('\n')).Where(line => line.Contains("tmpfs:")),
        ];
        Assert.That(mounts, Has.Length.AtLeast(4));
        Assert.That(mounts, Is.All.Contains("size="));
    }

    [Test]
    public async Task Every_service_knows_its_own_passwords_only()
    {
        var services = await ComposeConfig.OfAsync(Env([]));
        Assert.Multiple(() =>
        {
            foreach (var (service, variables) in services.Where(s => s.Key != "migrate"))
            {
                var own = $"{service.ToUpperInvariant()}_";
                string[] process = [.. StepNames, "api", "dashboard"];
                string[] secrets = process.Contains(service) ? [$"{own}DB_PASSWORD", $"{own}MQ_PASSWORD"] : [];
                Assert.That(
                    ComposeConfig.Required.Where(secret =>
                        variables.Values.Any(value => value.Contains(ValueOf(secret), StringComparison.Ordinal))
                    ),
                    Is.EquivalentTo(secrets.Concat(MoreSecrets.GetValueOrDefault(service, []))),
                    $"secrets that {service} gets"
                );
            }
        });
    }

    // A password as it is written in .env, and as the host gets it.
    [TestCase("""'a;b "c$d'""", """a;b "c$d""")]
    [TestCase("""'it\'s'""", "it's")]
    [TestCase("""'back\slash'""", """back\slash""")]
    [TestCase("""'$$ #x'""", "$$ #x")]
    [TestCase("""'=;='""", "=;=")]
    [TestCase("""abc-DEF_123""", "abc-DEF_123")]
    [TestCase("""a;b"c""", """a;b"c""")]
    public async Task A_password_reaches_every_place_as_it_is(string written, string value)
    {
        var services = await ComposeConfig.OfAsync(
            string.Concat(ComposeConfig.Required.Select(name => $"{name}={written}\n"))
        );
        Assert.Multiple(() =>
        {
            foreach (var service in (string[])[.. StepNames, "api", "dashboard", "migrate"])
            {
                Assert.That(services[service]["Database__Password"], Is.EqualTo(value), service);
                Assert.That(services[service]["RabbitMq__Password"], Is.EqualTo(value), service);
            }

            Assert.That(services["postgres"]["POSTGRES_PASSWORD"], Is.EqualTo(value));
            Assert.That(services["rabbitmq"]["RABBITMQ_DEFAULT_PASS"], Is.EqualTo(value));
            Assert.That(services["migrate"]["ORDERS_ADMIN_PASSWORD"], Is.EqualTo(value));
            Assert.That(services["migrate"]["EMAIL_DB_PASSWORD"], Is.EqualTo(value));
        });
    }

    // The names that README and the pages used before each setting had its own.
    [Test]
    public async Task The_short_names_of_earlier_versions_hold_and_the_full_name_wins()
    {
        var services = await ComposeConfig.OfAsync(
            Env([
                "SMTP_HOST=mail.example",
                "SMTP_PORT=587",
                "Email__Smtp__Port=465",
                "EMAIL_RECEIPTS_URL=http://receipts.example/",
                "DEMO_CATALOGUE=false",
                "RABBITMQ_HOSTS=one,two",
            ])
        );
        Assert.Multiple(() =>
        {
            Assert.That(services["email"]["Email__Smtp__Host"], Is.EqualTo("mail.example"));
            Assert.That(services["email"]["Email__Smtp__Port"], Is.EqualTo("465"));
            Assert.That(services["email"]["Email__ReceiptsUrl"], Is.EqualTo("http://receipts.example/"));
            Assert.That(services["migrate"]["Deploy__DemoCatalogue"], Is.EqualTo("false"));
            Assert.That(services["invoice"]["Invoice__Demo"], Is.EqualTo("false"));
            Assert.That(services["invoice"]["RabbitMq__Host"], Is.EqualTo("one,two"));
            Assert.That(services["api"].Keys, Does.Not.Contain("Email__Smtp__Port"));
        });
    }

    [TestCase("Deploy__DemoCatalogue=false", "false")]
    [TestCase("Deploy__DemoCatalogue=false\nDEMO_CATALOGUE=true", "false")]
    [TestCase("Deploy__DemoCatalogue=false\nInvoice__Demo=true", "true")]
    [TestCase("", "true")]
    public async Task An_installation_without_the_demo_does_not_invoice_in_the_name_of_its_seller(
        string lines,
        string isDemo
    )
    {
        var services = await ComposeConfig.OfAsync(Env([lines]));
        Assert.That(services["invoice"]["Invoice__Demo"], Is.EqualTo(isDemo));
    }

    private static IEnumerable<(string Name, string Service)> Fixed(
        IReadOnlyList<(string Key, string Default, string[] Hosts, string? Step)> all
    ) =>
        from setting in all
        let name = Setting.VariableOf(setting.Key)
        // Only the dashboard and the deployment use it, and all read it.
        where SettingsFiles.Fixed.Contains(name) && name != "RabbitMq__ManagementUri"
        from host in setting.Hosts
        from service in ServicesOf(host, setting.Step)
        select (name, service);

    private static string[] ServicesOf(string host, string? step) =>
        host switch
        {
            "API" => ["api"],
            "dashboard" => ["dashboard"],
            "deploy" => ["migrate"],
            _ => step is null ? StepNames : [step],
        };

    private static string Env(IEnumerable<string> lines) =>
        string.Join('\n', ComposeConfig.Required.Select(name => $"{name}={ValueOf(name)}").Concat(lines)) + "\n";

    private static string ValueOf(string secret) => $"value-of-{secret}";
}
