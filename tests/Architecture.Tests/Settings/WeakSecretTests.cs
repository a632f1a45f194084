using Microsoft.Extensions.Configuration;
using Orders.Infrastructure;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Hosting;
using QueueWorkers.Hosting.Secrets;

namespace Orders.Architecture.Tests.Settings;

/// <summary>
/// Attack: the passwords that are tried first. Outside of the environment Development no host starts with one, and
/// nothing is deployed with one.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class WeakSecretTests
{
    [TestCase("guest", "expected at least 12 characters, got 5")]
    [TestCase("x7#kQ9!pLm2", "expected at least 12 characters, got 11")]
    [TestCase("orders_admin", "a known default")]
    [TestCase("changeme-changeme", "a known default")]
    [TestCase("Password123456!", "a known default")]
    [TestCase("postgrespostgres", "a known default")]
    [TestCase("orders_email_password", "a known default")]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "a known default")]
    [TestCase("123456789012345", "digits and signs alone")]
    [TestCase("aaaaaaaaaaaaaaaa", "1 different characters")]
    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "printed in public documents")]
    public void A_password_that_attackers_try_first_is_refused(string secret, string says) =>
        Assert.That(WeakSecrets.WhatIsWrong(secret, WeakSecrets.ShortestPassword), Does.Contain(says));

    [TestCase("a;b \"c$d' e\\f=%")]
    [TestCase("it's another one")]
    [TestCase("correct horse battery")]
    [TestCase("zQ2_6bB8wKcX")]
    public void Another_one_is_not(string secret) =>
        Assert.That(WeakSecrets.WhatIsWrong(secret, WeakSecrets.ShortestPassword), Is.Null);

    [Test]
    public void What_the_system_makes_up_itself_is_strong()
    {
        for (var n = 0; n < 100; n++)
        {
            Assert.That(WeakSecrets.WhatIsWrong(ApiKeys.NewKey(), WeakSecrets.ShortestKey), Is.Null);
            Assert.That(
                WeakSecrets.WhatIsWrong(WebhookSecret.Format(WebhookSecret.New()), WeakSecrets.ShortestKey),
                Is.Null
            );
        }
    }

    // A secret of another system is as long as that system makes it.
    [Test]
    public void Every_secret_setting_is_checked_and_none_is_printed()
    {
        (string Key, string Value)[] weak =
        [
            ("ConnectionStrings:Postgres", "Host=x;Username=orders_api;Password=orders_api"),
            ("Database:Password", "qwerty123"),
            ("RabbitMq:Password", "guest"),
            ("EMAIL_DB_PASSWORD", "changeme"),
            ("LOYALTY_MQ_PASSWORD", "changeme"),
            ("ORDERS_ADMIN_PASSWORD", "admin"),
            ("ORDERS_API_KEY", "ok_short"),
            ("ORDERS_OPERATOR_KEY", "op_short"),
            ("Warehouse:Secret", "whsec_c2hvcnQ="),
            ("Email:Smtp:Password", "secret"),
            ("Email:Smtp:OAuth:ClientSecret", "secret"),
            ("Alerts:WebhookToken", "changeme"),
        ];
        var refused = Assert.Throws<InvalidConfigurationException>(() =>
            Of([.. weak, ("GRAFANA_PASSWORD", "guest"), ("Database:MaxConnections", "5")])
        );
        Assert.Multiple(() =>
        {
            Assert.That(refused.Problems, Has.Count.EqualTo(weak.Length));
            foreach (var (key, value) in weak)
            {
                var variable = key == "ConnectionStrings:Postgres" ? "Database__Password" : key.Replace(":", "__");
                Assert.That(refused.Problems, Has.Some.Contains($"set {variable} to a random one"), key);
                if (value.Length > 8 && key != "ConnectionStrings:Postgres")
                    Assert.That(refused.Message, Does.Not.Contain(value), key);
            }
        });
    }

    [TestCase("Host=db;Username=orders_api", true)]
    [TestCase("Host=db;Username=orders_api;Password=", true)]
    [TestCase("Host=db;Username=orders_api;SSL Certificate=/run/client.pem", false)]
    [TestCase("Host=db;Username=orders_api;Passfile=/run/pgpass", false)]
    [TestCase("Host=/var/run/postgresql;Username=orders_api", false)]
    [TestCase("Host=db;Username=orders_api;Password=zQ2_6bB8wKcX", false)]
    [TestCase("Server=db;User ID=orders_api", true)]
    [TestCase("Server=db;User ID=orders_api;PSW=zQ2_6bB8wKcX", false)]
    [TestCase("Server=db;User ID=orders_api;PSW=changeme", true)]
    public void A_database_without_a_password_is_refused(string connectionString, bool isRefused) =>
        Assert.That(
            () => Of([("ConnectionStrings:Postgres", connectionString)]),
            isRefused
                ? Throws.TypeOf<InvalidConfigurationException>().With.Message.Contain("set Database__Password")
                : Throws.Nothing
        );

    // The form that the hosts want: else a key that deploy takes is refused at each request.
    [TestCase("ORDERS_API_KEY", "such as `echo ok_$(openssl rand -base64 32 |")]
    [TestCase("ORDERS_OPERATOR_KEY", "such as `echo op_$(openssl rand -base64 32 |")]
    [TestCase("Warehouse:Secret", "such as `echo whsec_$(openssl rand -base64 32)`")]
    public void The_advice_makes_a_secret_of_the_right_form(string key, string says) =>
        Assert.That(
            () => Of([(key, "guest")]),
            Throws.TypeOf<InvalidConfigurationException>().With.Message.Contain(says)
        );

    [TestCase("2short", false)]
    [TestCase("changeit", true)]
    public void The_password_of_a_certificate_is_as_long_as_its_maker_wanted(string password, bool isRefused) =>
        Assert.That(
            () => Of([("Kestrel:Endpoints:Https:Certificate:Password", password)]),
            isRefused ? Throws.TypeOf<InvalidConfigurationException>() : Throws.Nothing
        );

    [TestCase("Workers", "run", null, true)]
    [TestCase("Workers", "deploy", null, true)]
    [TestCase("Workers", "deploy", "Development", false)]
    [TestCase("Producer.Api", "run", null, true)]
    [TestCase("Producer.Api", "run", "Staging", true)]
    [TestCase("Producer.Api", "run", "Development", false)]
    [TestCase("Dashboard", "run", null, true)]
    public async Task A_weak_secret_is_refused_outside_of_development(
        string host,
        string command,
        string? environment,
        bool isRefused
    )
    {
        var (code, error) = await HostProcess.RunAsync(
            host,
            [command],
            ("DOTNET_ENVIRONMENT", environment ?? ""),
            ("ASPNETCORE_ENVIRONMENT", environment ?? ""),
            ("ConnectionStrings__Postgres", "Host=nowhere;Username=orders;Password=changeme"),
            // A mistake that stops the start in every environment.
            ("Database__MaxConnections", "0"),
            ("RabbitMq__Host", "nowhere"),
            ("RabbitMq__Username", "orders"),
            ("RabbitMq__Password", "guest"),
            ("RabbitMq__ManagementUri", "http://nowhere:15672"),
            ("Workers__Steps", "inventory")
        );
        Assert.That(code, Is.EqualTo(2), error);
        Assert.That(
            error,
            isRefused
                ? Does.Contain("RabbitMq:Password must be a secret")
                    .And.Contain("set Database__Password to a random one")
                : Does.Not.Contain("must be a secret")
        );
    }

    private static void Of((string Key, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)))
            .Build()
            .RefuseWeakSecrets(OrdersSettings.Known);
}
