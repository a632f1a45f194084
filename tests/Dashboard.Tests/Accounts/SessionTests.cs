using Orders.Dashboard.Tests.Login;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>Sessions end when nobody uses them, and when the password changes.</summary>
internal sealed class SessionTests : AccountFixture
{
    private const string Next = "a quite different phrase";

    [Test]
    public async Task A_session_that_nobody_uses_ends()
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        using var browser = await LogInAsync(name);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "operator_sessions where name = $1 and idle_until between now() + interval '20 min' and now() + interval '30 min'",
                name
            ),
            Is.EqualTo(1),
            "half an hour by default"
        );
        await TestSystem.Database.ExecuteAsync(
            "update operator_sessions set idle_until = now() - interval '1 s' where name = $1",
            name
        );
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(302));
    }

    [Test]
    public async Task A_page_that_is_left_open_keeps_no_session_alive_and_an_operator_who_works_does()
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        using var browser = await LogInAsync(name);
        const string soon = "update operator_sessions set idle_until = now() + interval '5 min' where name = $1";
        const string later = "operator_sessions where name = $1 and idle_until > now() + interval '20 min'";
        await TestSystem.Database.ExecuteAsync(soon, name);
        Assert.That(await browser.LookAsync("/attention", ("HX-Request", "true")), Is.EqualTo(200));
        Assert.That(await TestSystem.Database.CountAsync(later, name), Is.Zero, "after a refresh by the page itself");
        // At once, although the page's own refreshes have just asked the database about the session.
        await browser.LookAsync("/orders");
        Assert.That(await TestSystem.Database.CountAsync(later, name), Is.EqualTo(1), "after a look at a page");
    }

    [Test]
    public async Task The_own_password_is_changed_and_all_other_sessions_end()
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        using var other = await LogInAsync(name);
        using var browser = await LogInAsync(name);
        Assert.That(await other.LookAsync("/orders"), Is.EqualTo(200));
        Assert.That(
            await PostFormAsync(
                browser,
                "/password",
                ("present", LoginClient.Password),
                ("next", Next),
                ("again", Next)
            ),
            Does.StartWith("/password?done=Your password is changed.")
        );
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200), "the session that changed it");
        Assert.That(await other.LookAsync("/orders"), Is.EqualTo(302));
        using var again = await LogInAsync(name, Next);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = $1 and action = 'change-own-password' and role = 'Viewer' and result = 'done'",
                name
            ),
            Is.EqualTo(1)
        );
    }

    [TestCase("not the password", Next, Next, "wrong password")]
    [TestCase(LoginClient.Password, "short", "short", null)]
    [TestCase(LoginClient.Password, Next, "another phrase altogether", null)]
    [TestCase(LoginClient.Password, LoginClient.Password, LoginClient.Password, null)]
    public async Task A_wrong_or_weak_password_changes_nothing(
        string present,
        string next,
        string again,
        string? result
    )
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        using var browser = await LogInAsync(name);
        Assert.That(
            await PostFormAsync(browser, "/password", ("present", present), ("next", next), ("again", again)),
            Is.EqualTo("400")
        );
        Assert.That(
            await TestSystem.Database.CountAsync("audit where who = $1 and result = $2", name, result ?? "none"),
            Is.EqualTo(result is null ? 0 : 1)
        );
        using var still = await LogInAsync(name);
    }

    // As `./dev up` does each time: it knows only the password of .env.
    [Test]
    public async Task A_deployment_with_the_password_of_before_leaves_the_operators_own_one_alone()
    {
        var (name, key) = await AddAsync(OperatorRole.Operator);
        using var browser = await LogInAsync(name);
        await PostFormAsync(browser, "/password", ("present", LoginClient.Password), ("next", Next), ("again", Next));
        var operators = new OperatorStore(TestSystem.Database.Source);
        await operators.EnsureAsync(name, OperatorRole.Operator, LoginClient.Password, key, default);
        using (await LogInAsync(name, Next))
            Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));

        await operators.EnsureAsync(name, OperatorRole.Operator, "and a third phrase", key, default);
        using var third = await LogInAsync(name, "and a third phrase");
        Assert.That(
            await TestSystem.Database.CountAsync("operator_sessions where name = $1", name),
            Is.EqualTo(1),
            "sessions after a new password"
        );
    }

    [Test]
    public async Task A_deployment_with_a_key_that_it_replaced_before_leaves_the_present_one_valid()
    {
        var (name, first) = await AddAsync(OperatorRole.Operator);
        var operators = new OperatorStore(TestSystem.Database.Source);
        var second = OperatorKey.NewKey();
        Assert.That(await operators.EnsureAsync(name, OperatorRole.Operator, null, second, default), Is.True);
        Assert.That(await operators.EnsureAsync(name, OperatorRole.Operator, null, first, default), Is.False);
        Assert.That((await GetAsync("/api/me", first)).Status, Is.EqualTo(401));
        Assert.That((await GetAsync("/api/me", second)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_deployment_makes_no_admin_of_an_account_of_the_identity_provider()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into operators (name, role, external_id) values ('erin', 0, 'issuer erin')"
        );
        var refused = Assert.ThrowsAsync<InvalidOperationException>(() =>
            new OperatorStore(TestSystem.Database.Source).EnsureAsync(
                "erin",
                OperatorRole.Admin,
                LoginClient.Password,
                OperatorKey.NewKey(),
                default
            )
        );
        Assert.That(refused.Message, Does.Contain("comes from the identity provider"));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "operators where name = 'erin' and role = 0 and password_hash is null"
            ),
            Is.EqualTo(1)
        );
    }
}
