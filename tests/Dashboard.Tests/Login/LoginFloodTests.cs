namespace Orders.Dashboard.Tests.Login;

/// <summary>Guessing and flooding at the login: what it costs, whom it holds up, and what it tells.</summary>
internal sealed class LoginFloodTests : DashboardFixture
{
    private const int Tries = 3;
    private const int TriesPerAddress = 7;
    private const int Waiting = 4;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [
            ("Proxy:From", "127.0.0.1"),
            ("Login:Tries", $"{Tries}"),
            ("Login:TriesPerAddress", $"{TriesPerAddress}"),
            ("Login:Waiting", $"{Waiting}"),
        ];

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => LoginClient.GivePasswordsAsync(TestSystem, "only", "seen", "known");

    [Test]
    public async Task Guessing_a_password_for_ever_writes_one_audit_row_in_a_lock_period()
    {
        using var attacker = new LoginClient(Dashboard, "198.51.100.1");
        var answers = new List<LoginAnswer>();
        for (var i = 0; i < Tries + 30; i++)
            answers.Add(await attacker.LogInAsync("only", $"guess {i}"));
        Assert.That(answers.Take(Tries).Select(a => a.Status), Is.All.EqualTo(401));
        Assert.That(answers.Skip(Tries).Select(a => a.Status), Is.All.EqualTo(429));
        Assert.That(answers[^1].RetryAfter, Is.InRange(TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15)));
        Assert.That(
            await TestSystem.Database.CountAsync("audit where action = 'log in' and result like '%198.51.100.1%'"),
            Is.EqualTo(1)
        );
        Assert.That((await attacker.LogInAsync("only", LoginClient.Password)).Status, Is.EqualTo(429), "locked here");
    }

    [Test]
    public async Task Somebody_elsewhere_does_not_lock_the_only_account()
    {
        using var attacker = new LoginClient(Dashboard, "198.51.100.2");
        for (var i = 0; i < Tries + 3; i++)
            await attacker.LogInAsync("only", "wrong");
        using var owner = new LoginClient(Dashboard, "192.0.2.2");
        Assert.That((await owner.LogInAsync("only", LoginClient.Password)).Status, Is.EqualTo(302));
    }

    [Test]
    public async Task Wrong_passwords_beside_a_good_session_do_not_end_it()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.3");
        Assert.That((await browser.LogInAsync("seen", LoginClient.Password)).Status, Is.EqualTo(302));
        using var neighbour = new LoginClient(Dashboard, "192.0.2.3");
        for (var i = 0; i < Tries + 1; i++)
            await neighbour.LogInAsync("seen", "wrong");
        Assert.That((await neighbour.LogInAsync("seen", LoginClient.Password)).Status, Is.EqualTo(429));
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));
    }

    [Test]
    public async Task Guessing_many_names_from_one_address_is_refused_before_anything_is_written()
    {
        using var attacker = new LoginClient(Dashboard, "198.51.100.4");
        var statuses = new List<int>();
        for (var i = 0; i < TriesPerAddress + 20; i++)
            statuses.Add((await attacker.LogInAsync($"name {i}", "wrong")).Status);
        Assert.That(statuses.Take(TriesPerAddress), Is.All.EqualTo(401));
        Assert.That(statuses.Skip(TriesPerAddress), Is.All.EqualTo(429));
        Assert.That(
            await TestSystem.Database.CountAsync("audit where action = 'log in' and result like '%198.51.100.4%'"),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task An_IPv6_network_counts_as_one_address()
    {
        var statuses = new List<int>();
        for (var i = 0; i < TriesPerAddress + 1; i++)
        {
            using var attacker = new LoginClient(Dashboard, $"2001:db8:5::{i + 1:x}");
            statuses.Add((await attacker.LogInAsync($"name {i}", "wrong")).Status);
        }

        Assert.That(statuses[^1], Is.EqualTo(429));
    }

    [Test]
    public async Task A_flood_of_logins_is_answered_429_and_starves_neither_keys_nor_an_operator_who_was_here()
    {
        using var known = new LoginClient(Dashboard, "192.0.2.6");
        Assert.That((await known.LogInAsync("known", LoginClient.Password)).Status, Is.EqualTo(302));

        var attackers = Enumerable.Range(0, 40).Select(i => new LoginClient(Dashboard, $"203.0.113.{i + 1}")).ToArray();
        var flood = attackers.Select(s => s.LogInAsync("known", "wrong")).ToArray();
        var key = await GetAsync("/api/me", OperatorsKey);
        var owner = await known.LogInAsync("known", LoginClient.Password);
        var answers = await Task.WhenAll(flood);
        foreach (var attacker in attackers)
            attacker.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(key.Status, Is.EqualTo(200), "an operator's key");
            Assert.That(owner.Status, Is.EqualTo(302), "an operator who was logged in from there before");
            Assert.That(answers.Select(a => a.Status), Is.All.AnyOf(401, 429));
            Assert.That(answers.Count(a => a.Status == 401), Is.AtLeast(Waiting + 1), "checked");
            var refused = answers.Where(a => a.Status == 429).ToArray();
            Assert.That(refused, Is.Not.Empty, "more than may wait");
            Assert.That(refused.Select(a => a.RetryAfter), Is.All.GreaterThan(TimeSpan.Zero));
        });
    }

    [Test]
    public async Task Statuses_do_not_tell_which_names_exist()
    {
        using var one = new LoginClient(Dashboard, "198.51.100.7");
        using var other = new LoginClient(Dashboard, "198.51.100.8");
        for (var i = 0; i < Tries + 2; i++)
        {
            var (existing, unknown) = (
                await one.LogInAsync("only", "wrong"),
                await other.LogInAsync("nobody", "wrong")
            );
            Assert.That(unknown.Status, Is.EqualTo(existing.Status), $"try {i + 1}");
        }
    }
}
