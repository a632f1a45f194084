using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Tls;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Tls;

/// <summary>
/// PostgreSQL with TLS whose certificate is changed while the test runs: somebody in between, or an operator's mistake.
/// </summary>
public sealed class DatabaseTlsTests : SystemFixture
{
    private TestAuthority _authority = null!;
    private TlsDatabase _database = null!;

    [OneTimeSetUp]
    public async Task StartADatabaseAsync()
    {
        _authority = new TestAuthority();
        _database = await TlsDatabase.StartAsync(_authority.Certify(Wrong.Nothing));
    }

    [OneTimeTearDown]
    public async Task StopItAsync()
    {
        if (_database is not null)
            await _database.DisposeAsync();
        _authority.Dispose();
    }

    private TestCertificate Certify(Wrong wrong) => _authority.Certify(wrong, _database.Host);

    [SetUp]
    public Task RightAsync() => _database.UseAsync(Certify(Wrong.Nothing));

    [Test]
    public async Task A_right_certificate_is_taken_with_TLS_1_3()
    {
        await using var services = Store(WithTls);
        Assert.That(
            await Eventually.That(() => ProtocolAsync(services), Is.Not.Null, "the database answers"),
            Is.EqualTo("TLSv1.3")
        );
    }

    // As it is written without compose, and as it was before there was a setting.
    [Test]
    public async Task VerifyFull_in_the_connection_string_is_the_same_with_the_file_of_the_setting_or_of_the_string()
    {
        await using var services = Store(
            (
                "ConnectionStrings:Postgres",
                $"{_database.ConnectionString};SSL Mode=VerifyFull;Root Certificate={_authority.CaFile}"
            )
        );
        await Eventually.That(() => ProtocolAsync(services), Is.EqualTo("TLSv1.3"), "the protocol");

        await _database.UseAsync(Certify(Wrong.Name));
        await SaysAsync(services, TlsWords.On(Wrong.Name, "ConnectionStrings__Postgres", "Database__CaFile"));
    }

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_certificate_of_somebody_else_is_refused_with_a_sentence_and_the_work_waits(Wrong wrong)
    {
        await using var services = Store(WithTls);
        await _database.UseAsync(Certify(wrong));

        var fault = await SaysAsync(services, TlsWords.On(wrong, "ConnectionStrings__Postgres", "Database__CaFile"));
        // As a database that is away: no attempt is used, see RefusedDatabaseTests.
        Assert.That(DatabaseFault.KindOf(fault), Is.EqualTo(DatabaseFaultKind.Unavailable));
        var health = await services
            .GetRequiredService<HealthCheckService>()
            .CheckHealthAsync(r => r.Name == "database");
        Assert.That(health.Entries["database"].Description, Is.EqualTo(DatabaseFault.Explain(fault)));

        // Renewed: no restart.
        await _database.UseAsync(Certify(Wrong.Nothing));
        await Eventually.That(() => ProtocolAsync(services), Is.EqualTo("TLSv1.3"), "the protocol");
    }

    [Test]
    public async Task A_server_that_speaks_plain_text_gets_no_password()
    {
        await using var services = Store(
            ("ConnectionStrings:Postgres", TestSystem.Database.ConnectionString),
            ("Database:Tls", "true"),
            ("Database:CaFile", _authority.CaFile)
        );
        await SaysAsync(services, TlsWords.OnPlainText("ssl_cert_file"));
    }

    [Test]
    public async Task A_connection_string_cannot_make_a_required_TLS_weaker()
    {
        await _database.UseAsync(Certify(Wrong.Authority));
        await using var services = Store([
            .. WithTls,
            ("ConnectionStrings:Postgres", $"{_database.ConnectionString};SSL Mode=Disable"),
        ]);
        await SaysAsync(services, TlsWords.On(Wrong.Authority, "ConnectionStrings__Postgres", "Database__CaFile"));
    }

    [Test]
    public async Task A_new_authority_in_the_file_needs_no_restart_and_two_are_valid_at_once()
    {
        using var next = new TestAuthority("Next year's authority");
        var file = _authority.Write("both.pem", _authority.Pem);
        await using var services = Store([.. WithTls, ("Database:CaFile", file)]);
        await Eventually.That(() => ProtocolAsync(services), Is.EqualTo("TLSv1.3"), "the protocol");

        await _database.UseAsync(next.Certify(Wrong.Nothing, _database.Host));
        await SaysAsync(services, Does.Contain("Next year's authority"));
        _authority.Write("both.pem", _authority.Pem + "\n" + next.Pem);
        await Eventually.That(() => ProtocolAsync(services), Is.EqualTo("TLSv1.3"), "the protocol");
    }

    [Test]
    public async Task A_deployment_with_a_wrong_certificate_ends_at_once_with_the_sentence_and_with_a_right_one_deploys()
    {
        await _database.UseAsync(Certify(Wrong.Expired));
        await Eventually.That(
            async () =>
            {
                try
                {
                    await DeployAsync();
                    return "";
                }
                catch (InvalidConfigurationException refused)
                {
                    return refused.Message;
                }
            },
            TlsWords.On(Wrong.Expired, "ConnectionStrings__Postgres", "Database__CaFile"),
            "what the deployment says"
        );
        await _database.UseAsync(Certify(Wrong.Nothing));
        await using var services = Store(WithTls);
        await Eventually.That(() => ProtocolAsync(services), Is.EqualTo("TLSv1.3"), "the protocol");
        await DeployAsync();
    }

    private (string Name, string? Value)[] WithTls =>
        [
            ("ConnectionStrings:Postgres", _database.ConnectionString),
            ("Database:Tls", "true"),
            ("Database:CaFile", _authority.CaFile),
        ];

    private Task DeployAsync() =>
        DeployCommand.RunAsync(
            TestSystem.Configuration(WithTls),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );

    private static ServiceProvider Store(params (string Name, string? Value)[] settings)
    {
        // Later ones win.
        var all = settings.GroupBy(s => s.Name).ToDictionary(g => g.Key, g => g.Last().Value);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(all).Build();
        var services = new ServiceCollection().AddLogging().AddOrdersStore(configuration);
        services.AddHealthChecks().AddCheck<DatabaseHealth>("database");
        return services.BuildServiceProvider();
    }

    // Each time by a connection of its own. Null while the server refuses.
    private static async Task<string?> ProtocolAsync(ServiceProvider services)
    {
        var source = services.GetRequiredService<NpgsqlDataSource>();
        source.Clear();
        try
        {
            await using var command = source.CreateCommand(
                "select version from pg_stat_ssl where pid = pg_backend_pid()"
            );
            return (string?)await command.ExecuteScalarAsync();
        }
        catch (NpgsqlException refused) when (refused is not PostgresException)
        {
            return null;
        }
    }

    // The server takes over its new certificate a moment after it was told to.
    private static async Task<Exception> SaysAsync(
        ServiceProvider services,
        NUnit.Framework.Constraints.IResolveConstraint says
    )
    {
        Exception? fault = null;
        await Eventually.That(
            async () =>
            {
                var source = services.GetRequiredService<NpgsqlDataSource>();
                source.Clear();
                try
                {
                    await using var connection = await source.OpenConnectionAsync();
                    return "taken";
                }
                catch (NpgsqlException refused)
                {
                    fault = refused;
                    return DatabaseFault.Explain(refused);
                }
            },
            says,
            "what is said of the database"
        );
        return fault!;
    }
}
