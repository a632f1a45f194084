using System.Text.RegularExpressions;
using Npgsql;
using Orders.Dashboard.Tests.Login;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers.Deployment;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>A dashboard with the database role of an installation, in front of accounts with passwords and keys.</summary>
internal abstract partial class AccountFixture : DashboardFixture
{
    protected const string Because = "the tests ask for it";

    /// <summary>The database as the dashboard's role sees it.</summary>
    protected NpgsqlDataSource AsDashboard { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task TakeRoleAsync()
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(("DASHBOARD_DB_PASSWORD", SharedLogins.Password)),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
        var connection = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
        {
            Username = ProcessCredentials.UserOf("dashboard"),
            Password = SharedLogins.Password,
        }.ConnectionString;
        AsDashboard = NpgsqlDataSource.Create(connection);
        await RestartDashboardAsync(("ConnectionStrings:Postgres", connection));
    }

    [OneTimeTearDown]
    public async Task LeaveRoleAsync() => await AsDashboard.DisposeAsync();

    /// <summary>An operator of a test's own, with a password and a key.</summary>
    protected async Task<(string Name, string Key)> AddAsync(OperatorRole role)
    {
        var (name, key) = ($"o{Guid.NewGuid():N}"[..12], OperatorKey.NewKey());
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(name, role, LoginClient.Password, key, default);
        return (name, key);
    }

    /// <summary>A browser that is logged in.</summary>
    protected async Task<LoginClient> LogInAsync(string name, string password = LoginClient.Password)
    {
        var browser = new LoginClient(Dashboard, "203.0.113.7");
        var answer = await browser.LogInAsync(name, password);
        Assert.That(answer.Status, Is.EqualTo(302), answer.Page);
        return browser;
    }

    /// <summary>Posts a form of a page, with its token.</summary>
    protected static async Task<string> PostFormAsync(
        LoginClient browser,
        string path,
        params IEnumerable<(string Name, string Value)> fields
    ) =>
        Uri.UnescapeDataString(
            await browser.PostAsync(
                path,
                fields.Append(("_token", Token().Match(await browser.ReadAsync("/password")).Groups[1].Value))
            )
        );

    protected Task<long> RecordsAsync(string action, string target) =>
        TestSystem.Database.CountAsync(
            "audit where action = $1 and target = $2 and reason = $3 and who = 'anna' and role = 'Admin'",
            action,
            target,
            Because
        );

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
