using System.Text.RegularExpressions;
using Orders.Dashboard.Tests.Login;

namespace Orders.Dashboard.Tests.Live;

/// <summary>The stream of live figures ends when its viewer may not look any more.</summary>
internal sealed partial class RevokedStreamTests : DashboardFixture
{
    private const int PerOperator = 3;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Proxy:From", "127.0.0.1"), ("Live:MostPerOperator", $"{PerOperator}")];

    [OneTimeSetUp]
    public Task GivePasswordsAsync() =>
        LoginClient.GivePasswordsAsync(TestSystem, "lola", "dora", "rosa", "ella", "mona", "nina");

    [Test]
    [CancelAfter(180_000)]
    public async Task A_stream_does_not_outlive_a_logout(CancellationToken deadline)
    {
        using var browser = await LoggedInAsync("lola");
        using var stream = await OpenAsync(browser, deadline);
        var token = Token().Match(await browser.ReadAsync("/queues")).Groups[1].Value;
        Assert.That(await browser.PostAsync("/logout", ("_token", token)), Is.EqualTo("/login"));
        await EndsAsync(stream, deadline);
    }

    [TestCase(
        "dora",
        "update operators set disabled_at = now() where name = $1",
        TestName = "A_stream_does_not_outlive_its_operator"
    )]
    [TestCase(
        "rosa",
        "update operators set role = 0 where name = $1",
        TestName = "A_stream_does_not_outlive_its_operators_role"
    )]
    [TestCase(
        "ella",
        "update operator_sessions set expires_at = now() where name = $1",
        TestName = "A_stream_does_not_outlive_its_session"
    )]
    [CancelAfter(180_000)]
    public async Task A_stream_ends_with_its_authority(string name, string sql, CancellationToken deadline)
    {
        using var browser = await LoggedInAsync(name);
        using var stream = await OpenAsync(browser, deadline);
        await TestSystem.Database.ExecuteAsync(sql, name);
        await EndsAsync(stream, deadline);
    }

    [Test]
    [CancelAfter(180_000)]
    public async Task One_operator_cannot_take_all_streams(CancellationToken deadline)
    {
        using var greedy = await LoggedInAsync("mona");
        List<HttpResponseMessage> streams = [];
        for (var i = 0; i < PerOperator; i++)
            streams.Add(await OpenAsync(greedy, deadline));
        using var refused = await greedy.OpenAsync("/live", deadline);
        Assert.That(
            ((int)refused.StatusCode, refused.Headers.RetryAfter?.Delta),
            Is.EqualTo((429, TimeSpan.FromSeconds(5)))
        );
        using var neighbour = await LoggedInAsync("nina");
        using var other = await OpenAsync(neighbour, deadline);

        streams.ForEach(s => s.Dispose());
        await Eventually.That(
            async () =>
            {
                using var again = await greedy.OpenAsync("/live", deadline);
                return (int)again.StatusCode;
            },
            Is.EqualTo(200),
            "a stream after others have closed"
        );
    }

    private async Task<LoginClient> LoggedInAsync(string name)
    {
        var browser = new LoginClient(Dashboard, "192.0.2.1");
        Assert.That((await browser.LogInAsync(name, LoginClient.Password)).Status, Is.EqualTo(302));
        return browser;
    }

    private static async Task<HttpResponseMessage> OpenAsync(LoginClient browser, CancellationToken deadline)
    {
        var stream = await browser.OpenAsync("/live", deadline);
        Assert.That((int)stream.StatusCode, Is.EqualTo(200));
        return stream;
    }

    // Reads to the end, which an open stream does not have.
    private static async Task EndsAsync(HttpResponseMessage stream, CancellationToken deadline)
    {
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync(deadline));
        while (await reader.ReadLineAsync(deadline) is not null) { }
    }

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
