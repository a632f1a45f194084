using Orders.Architecture.Tests.Dev;

namespace Orders.Architecture.Tests.Settings;

/// <summary><c>./dev env --check</c>: what each service would get, without its secrets, and what has no effect.</summary>
[Platform("Linux")]
internal sealed class EnvCheckTests
{
    private Clone _clone = null!;

    [SetUp]
    public async Task MakeEnvAsync()
    {
        _clone = new Clone();
        // `docker compose config` needs no engine.
        _clone.RealDocker();
        Assert.That((await _clone.RunAsync("env")).Code, Is.Zero);
    }

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task Every_service_is_listed_with_what_it_gets_and_no_secret_is_printed()
    {
        var secrets = _clone
            .Env.Split('\n')
            .Where(l => l.Contains('=') && !l.StartsWith("COMPOSE_PROFILES", StringComparison.Ordinal))
            .Select(l => l[(l.IndexOf('=') + 1)..])
            .ToArray();
        _clone.Env += """
            EMAIL_DB_PASSWORD='a;b "c$d'
            SMTP_HOST=mail.example
            Email__Smtp__Username=shop
            Email__Smtp__Password='x"$y;z'
            Invoice__Seller__Name='Köln & Söhne'
            Retention__Failures=30.00:00:00
            Alerts__WebhookUrl=https://chat.example/services/T0/very-secret

            """;
        var answer = await _clone.RunAsync("env", "--check");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        var services = Services(answer.Output);
        Assert.Multiple(() =>
        {
            Assert.That(
                services.Keys,
                Is.SupersetOf((string[])["api", "dashboard", "email", "inventory", "invoice", "migrate", "warehouse"])
            );
            Assert.That(
                services["email"],
                Does.Match(@"(?m)^  Database__Password +\*\*\* \(8 characters\)  \(\.env EMAIL_DB_PASSWORD\)$")
                    .And.Match(@"(?m)^  Email__Smtp__Host +mail\.example  \(\.env SMTP_HOST\)$")
                    .And.Match(@"(?m)^  Email__Smtp__Username +shop  \(\.env\)$")
                    .And.Match(@"(?m)^  Email__Smtp__Password +\*\*\* \(6 characters\)  \(\.env\)$")
                    .And.Match(@"(?m)^  Email__Smtp__Port +1025$")
            );
            Assert.That(services["invoice"], Does.Match(@"Invoice__Seller__Name +Köln & Söhne  \(\.env\)"));
            Assert.That(services["dashboard"], Does.Match(@"Alerts__WebhookUrl +https://chat\.example/\*\*\*"));
            foreach (var worker in (string[])["email", "inventory", "invoice", "warehouse"])
                Assert.That(services[worker], Does.Match(@"Retention__Failures +30\.00:00:00"), worker);
            Assert.That(services["api"], Does.Not.Contain("Smtp").And.Not.Contain("Retention"));
            foreach (var secret in (string[])[.. secrets, "a;b", "c$d", "x\"", "very-secret"])
                Assert.That(answer.Text, Does.Not.Contain(secret));
        });
    }

    [Test]
    public async Task No_part_of_an_address_or_a_connection_string_that_may_be_secret_is_printed()
    {
        _clone.Env += """
            Alerts__WebhookUrl='https://shop:very-secret@chat.example?token=very-secret'
            Warehouse__Url='https://stock.example:8443/api?key=very-secret&more=very-secret'
            Email__Smtp__OAuth__TokenUrl='https://shop:very@very-secret@login.example/token#very-secret'
            Email__ReceiptsUrl='https://shop:very?very-secret#very/secret@receipts.example/mails'
            Invoice__Seller__Name='Host=x;Username=y;password = "a;very-secret";Port=1'
            Invoice__Seller__Address='Host=x;Pwd=a;b very-secret'

            """;
        var answer = await _clone.RunAsync("env", "--check");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        var services = Services(answer.Output);
        Assert.Multiple(() =>
        {
            Assert.That(answer.Text, Does.Not.Contain("very"));
            Assert.That(
                services["dashboard"],
                Does.Match(@"(?m)^  Alerts__WebhookUrl +https://\*\*\*@chat\.example/\*\*\*  \(\.env\)$")
            );
            Assert.That(
                services["warehouse"],
                Does.Match(@"(?m)^  Warehouse__Url +https://stock\.example:8443/api\?\*\*\*  \(\.env\)$")
            );
            Assert.That(
                services["email"],
                Does.Match(@"(?m)^  Email__Smtp__OAuth__TokenUrl +https://\*\*\*@login\.example/token\?\*\*\*  ")
                    .And.Match(@"(?m)^  Email__ReceiptsUrl +https://\*\*\*@receipts\.example/mails  \(\.env\)$")
            );
            Assert.That(
                services["invoice"],
                Does.Match(@"(?m)^  Invoice__Seller__Name +Host=x;Username=y;Password=\*\*\*  \(\.env\)$")
                    .And.Match(@"(?m)^  Invoice__Seller__Address +Host=x;Password=\*\*\*  \(\.env\)$")
            );
        });
    }

    [Test]
    public async Task With_all_the_defaults_are_printed_too()
    {
        var answer = await _clone.RunAsync("env", "--check", "--all");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        var services = Services(answer.Output);
        Assert.That(
            services["api"],
            Does.Match(@"(?m)^  Api__RateLimit__PerSecond +5000  \(default\)$").And.Not.Contain("Email__")
        );
        Assert.That(services["email"], Does.Match(@"(?m)^  Email__SendTimeout +00:00:15  \(default\)$"));
        Assert.That(services["inventory"], Does.Match(@"(?m)^  Outbox__BatchSize +\d+  \(default\)$"));
    }

    [TestCase("Emial__From=x@example.com", "No setting 'Emial__From'; did you mean 'Email__From'?")]
    [TestCase("email__from=x@example.com", "No setting 'email__from'; did you mean 'Email__From'?")]
    [TestCase("API_PROT=9080", "No setting 'API_PROT'; did you mean 'API_PORT'?")]
    [TestCase("STMP_HOST=mail.example", "No setting 'STMP_HOST'; did you mean 'SMTP_HOST'?")]
    [TestCase("NOTHING_LIKE_THAT_AT_ALL=1", "No setting 'NOTHING_LIKE_THAT_AT_ALL'.")]
    [TestCase("RabbitMq__Password=x", "RabbitMq__Password has no effect in .env")]
    [TestCase("EMAIL_DB_PASSWORD=abc$def", "EMAIL_DB_PASSWORD has a $ outside single quotes")]
    [TestCase("EMAIL_DB_PASSWORD=", "Missing: EMAIL_DB_PASSWORD. ./dev env makes them up.")]
    public async Task What_has_no_effect_is_named_and_nothing_is_written(string line, string says)
    {
        _clone.Env += line + "\n";
        var before = _clone.Env;
        var answer = await _clone.RunAsync("env", "--check");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(answer.Errors, Does.Contain(says));
        Assert.That(answer.Errors.Trim().Split('\n'), Has.Length.EqualTo(1), answer.Errors);
        Assert.That(_clone.Env, Is.EqualTo(before));
    }

    // Settings of ./dev and compose themselves, patterns, and one that another version may have had.
    [Test]
    public async Task What_has_an_effect_is_not_named()
    {
        _clone.Env += """
            # EMAIL_FORM=commented
            COMPOSE_PROJECT_NAME=shop
            DOCKER_HOST=
            OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317
            LOYALTY_DB_PASSWORD=for-a-step-to-come
            Deploy__Subscriptions__crm=OrderCompleted
            Logging__LogLevel__Default=Debug
            EMAIL_RECEIPTS_URL=
            export POSTGRES_MEMORY="2g"

            """;
        var answer = await _clone.RunAsync("env", "--check");
        Assert.That(answer.Code, Is.Zero, answer.Text);
    }

    // Compose reads .env itself; ./dev must not read another password than it.
    [Test]
    public async Task Dev_reads_env_as_compose_does()
    {
        const string Env = """
            A='a;b "c$d'
            B="x $A \" \\ \$e"
            C='it\'s'
            D=abc#x
            E=abc # comment
            F = spaced value  
            G=ab"c"d
            H=a\b
            export I=exported
            J='a\nb\\c'
            K: colon
            L="two
            lines"
            M=${A}-${NONE:-fallback}
            N=$$x
            O=
            P=first
            P=second
            Q="tab\tend"
            R=''
            S='#no comment'

            """;
        var compose = (
            await ComposeConfig.OfAsync(string.Concat(ComposeConfig.Required.Select(r => $"{r}=x\n")) + Env)
        )["migrate"];
        _clone.Env = Env;
        var names = Enumerable.Range('A', 19).Select(letter => $"{(char)letter}").ToArray();
        Assert.Multiple(() =>
        {
            foreach (var name in names)
                Assert.That(_clone.Setting(name), Is.EqualTo(compose[name]), name);
        });
    }

    // The name of each service, and its lines.
    private static Dictionary<string, string> Services(string output) =>
        output
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(part => part.Trim('\n'))
            .Where(part => part.Contains("\n  ", StringComparison.Ordinal))
            .ToDictionary(part => part[..part.IndexOf('\n', StringComparison.Ordinal)]);
}
