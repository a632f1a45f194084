using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Orders.Dashboard.Tests.Login;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>Operators are made, changed and shut out by admins, through the operator API.</summary>
internal sealed class OperatorAccountTests : AccountFixture
{
    [Test]
    public async Task A_new_operator_logs_in_with_the_password_that_is_shown_once()
    {
        var made = await PostAsync(
            "/api/operators",
            AdminKey,
            new
            {
                name = "nora",
                role = "Operator",
                withPassword = true,
                reason = Because,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        var password = made.Body["password"]!.GetValue<string>();
        using var browser = await LogInAsync("nora", password);
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));
        Assert.That(await RecordsAsync("create-operator", "operator nora: Operator"), Is.EqualTo(1));
        var list = await GetAsync("/api/operators", AdminKey);
        Assert.That(list.Text, Does.Contain("nora").And.Not.Contain(password).And.Not.Contain("pbkdf2"));
        var again = await PostAsync(
            "/api/operators",
            AdminKey,
            new
            {
                name = "nora",
                role = "Admin",
                reason = Because,
            }
        );
        Assert.That((again.Status, again.Code), Is.EqualTo((409, "account-state")), again.ToString());
    }

    // Attack: an account that an admin made in haste is a viewer of all orders.
    [Test]
    public async Task An_operator_without_a_role_is_not_made()
    {
        foreach (
            object body in (object[])
                [
                    new { name = "roleless", reason = Because },
                    new
                    {
                        name = "roleless",
                        role = (string?)null,
                        reason = Because,
                    },
                ]
        )
        {
            var answer = await PostAsync("/api/operators", AdminKey, body);
            Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
            Assert.That(answer.Text, Does.Contain("role must be Viewer, Operator or Admin; found none"));
        }

        Assert.That(await TestSystem.Database.CountAsync("operators where name = 'roleless'"), Is.Zero);
    }

    [TestCase("Operator")]
    [TestCase("Viewer")]
    public async Task Only_an_admin_changes_accounts_and_keys(string role)
    {
        var key = role == "Viewer" ? ViewerKey : OperatorsKey;
        var id = Guid.NewGuid();
        foreach (
            var (method, path) in ((string, string)[])
                [
                    ("GET", "/api/operators"),
                    ("POST", "/api/operators"),
                    ("PUT", "/api/operators/vera/role"),
                    ("PUT", "/api/operators/vera/password"),
                    ("POST", "/api/operators/vera/disable"),
                    ("POST", "/api/operators/vera/enable"),
                    ("POST", "/api/operators/vera/keys"),
                    ("POST", $"/api/operators/keys/{id}/rotate"),
                    ("POST", $"/api/operators/keys/{id}/revoke"),
                    ("GET", "/api/keys"),
                    ("POST", "/api/keys"),
                    ("POST", $"/api/keys/{id}/rotate"),
                    ("POST", $"/api/keys/{id}/revoke"),
                ]
        )
        {
            var answer = await SendAsync(
                new HttpMethod(method),
                path,
                key,
                method == "GET" ? null : new { reason = Because }
            );
            Assert.That((answer.Status, answer.Code), Is.EqualTo((403, "missing-role")), $"{method} {path}");
        }
    }

    [Test]
    public async Task A_disabled_operator_is_out_at_once_in_the_browser_and_with_a_key()
    {
        var (name, key) = await AddAsync(OperatorRole.Operator);
        using var browser = await LogInAsync(name);
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));
        var done = await PostAsync($"/api/operators/{name}/disable", AdminKey, new { reason = Because });
        Assert.That(done.Status, Is.EqualTo(204), done.ToString());
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(302));
        Assert.That((await GetAsync("/api/me", key)).Status, Is.EqualTo(401));
        Assert.That(await RecordsAsync("disable-operator", $"operator {name}"), Is.EqualTo(1));

        Assert.That(
            (await PostAsync($"/api/operators/{name}/enable", AdminKey, new { reason = Because })).Status,
            Is.EqualTo(204)
        );
        Assert.That((await GetAsync("/api/me", key)).Status, Is.EqualTo(200));
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(302), "the session stays ended");
    }

    [Test]
    public async Task A_new_role_ends_the_sessions_of_the_old_one()
    {
        var (name, key) = await AddAsync(OperatorRole.Admin);
        using var browser = await LogInAsync(name);
        var done = await SendAsync(
            HttpMethod.Put,
            $"/api/operators/{name}/role",
            AdminKey,
            new { role = "Viewer", reason = Because }
        );
        Assert.That(done.Status, Is.EqualTo(204), done.ToString());
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(302));
        Assert.That((await GetAsync("/api/operators", key)).Status, Is.EqualTo(403));
        Assert.That(await RecordsAsync("change-role", $"operator {name}: Viewer"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_new_password_ends_all_sessions_and_the_old_password()
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        using var browser = await LogInAsync(name);
        var done = await SendAsync(
            HttpMethod.Put,
            $"/api/operators/{name}/password",
            AdminKey,
            new { reason = Because }
        );
        Assert.That(done.Status, Is.EqualTo(200), done.ToString());
        Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(302));
        using var other = new LoginClient(Dashboard, "203.0.113.8");
        Assert.That((await other.LogInAsync(name, LoginClient.Password)).Status, Is.EqualTo(401));
        using var right = await LogInAsync(name, done.Body["password"]!.GetValue<string>());
    }

    [TestCase("short", "Expected 12 to 200")]
    [TestCase("password12345", "common")]
    [TestCase("Password1234!", "common")]
    [TestCase("aaaaaaaaaaaab", "different characters")]
    [TestCase("vera-likes-tea-1", "operator's name")]
    public async Task A_weak_password_is_refused_with_what_to_change(string password, string says)
    {
        var answer = await SendAsync(
            HttpMethod.Put,
            "/api/operators/vera/password",
            AdminKey,
            new { password, reason = Because }
        );
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
        Assert.That(answer.Body["detail"]!.GetValue<string>(), Does.Contain(says).And.Not.Contain(password));
    }

    [Test]
    public async Task Who_saw_an_older_account_changes_nothing()
    {
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        var seen = await TestSystem.Database.ScalarAsync<int>("select version from operators where name = $1", name);
        var body = new
        {
            role = "Operator",
            version = seen,
            reason = Because,
        };
        Assert.That(
            (await SendAsync(HttpMethod.Put, $"/api/operators/{name}/role", AdminKey, body)).Status,
            Is.EqualTo(204)
        );
        var late = await PostAsync(
            $"/api/operators/{name}/disable",
            AdminKey,
            new { version = seen, reason = Because }
        );
        Assert.That(late.Status, Is.EqualTo(409), late.ToString());
        Assert.That(late.Body["detail"]!.GetValue<string>(), Does.Contain("Somebody else has changed"));
    }

    [TestCase("")]
    [TestCase(null)]
    public async Task Without_a_reason_nothing_is_changed(string? reason)
    {
        var answer = await PostAsync("/api/operators/vera/disable", AdminKey, new { reason });
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")));
        Assert.That((await GetAsync("/api/me", ViewerKey)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_role_that_is_missing_is_none()
    {
        var answer = await SendAsync(HttpMethod.Put, "/api/operators/otto/role", AdminKey, new { reason = Because });
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
        Assert.That((await GetAsync("/api/me", OperatorsKey)).Body["role"]!.GetValue<string>(), Is.EqualTo("Operator"));
    }

    // The audit record cannot be changed: what a reason says about a customer would stay.
    [Test]
    public async Task A_mail_address_in_a_reason_is_not_in_the_audit_record()
    {
        const string why = "wanted by jane@customer.example";
        var (name, _) = await AddAsync(OperatorRole.Viewer);
        var made = await PostAsync($"/api/operators/{name}/keys", AdminKey, new { reason = why });
        var path = $"/api/operators/keys/{made.Body["id"]!.GetValue<Guid>()}";
        var rotated = await PostAsync($"{path}/rotate", AdminKey, new { reason = why });
        Assert.That(rotated.Status, Is.EqualTo(201), rotated.ToString());
        await PostAsync($"{path}/revoke", AdminKey, new { reason = why });
        await PostAsync($"/api/operators/{name}/disable", AdminKey, new { reason = why });
        await PostAsync(
            "/api/operators",
            AdminKey,
            new
            {
                name = $"{name}x",
                role = "Viewer",
                reason = why,
            }
        );
        made = await PostAsync(
            "/api/keys",
            AdminKey,
            new
            {
                client = name,
                scopes = new[] { "orders:read" },
                reason = why,
            }
        );
        path = $"/api/keys/{made.Body["id"]!.GetValue<Guid>()}";
        await PostAsync($"{path}/rotate", AdminKey, new { reason = why });
        await PostAsync($"{path}/revoke", AdminKey, new { reason = why });
        Assert.That(await TestSystem.Database.CountAsync("audit where reason like '%jane%'"), Is.Zero);
        Assert.That(await TestSystem.Database.CountAsync("audit where reason = 'wanted by <address>'"), Is.EqualTo(8));
    }

    // What a thief of the dashboard's database login has: every hash, and the right to run the functions.
    [Test]
    public async Task Hashes_read_from_the_tables_change_no_account()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into operator_sessions (hash, name, expires_at, idle_until, external) values ($1, 'anna', now() + interval '1 h', now() + interval '1 h', false)",
            SHA256.HashData("a session"u8)
        );
        var stored = new List<byte[]> { OperatorKey.HashOf(AdminKey), SHA256.HashData("a session"u8) };
        foreach (var hash in stored)
        {
            var refused = Assert.ThrowsAsync<PostgresException>(() =>
                RunAsync("select operator_change($1, 'to see', 'vera', null, 2::smallint, null, null)", hash)
            );
            Assert.That(refused.SqlState, Is.EqualTo("OP403"));
        }

        var (name, _) = await AddAsync(OperatorRole.Admin);
        var hashed = await TestSystem.Database.ScalarAsync<string>(
            "select password_hash from operators where name = $1",
            name
        );
        Assert.That(
            await RunAsync(
                $"select operator_session_begin('{name}', $1, sha256('mine'), interval '1 h', interval '1 h')",
                Convert.FromBase64String(hashed!.Split('$')[3])
            ),
            Is.False
        );
        Assert.That(
            await RunAsync(
                "select operator_change($1, 'the real key', 'vera', null, 0::smallint, null, null)",
                Encoding.UTF8.GetBytes(AdminKey)
            ),
            Is.Not.Null,
            "and the secret itself does"
        );
    }

    // Let in by the identity provider, which only the dashboard has seen: a thief of its login could say so too.
    [Test]
    public async Task A_session_that_the_dashboard_vouches_for_changes_no_account()
    {
        await using (
            var begin = AsDashboard.CreateCommand(
                "select operator_session_begin_external('issuer me', 'mallory', 2::smallint, sha256('mine'), interval '1 h', interval '1 h')"
            )
        )
            await begin.ExecuteNonQueryAsync();
        foreach (
            var change in (string[])
                [
                    "operator_change($1, 'to see', 'vera', null, 2::smallint, null, null)",
                    "operator_create($1, 'to see', 'friend', 2::smallint, null)",
                    "operator_key_create($1, 'to see', 'anna', gen_random_uuid(), sha256('k'), 'op_k', null)",
                ]
        )
        {
            var refused = Assert.ThrowsAsync<PostgresException>(() => RunAsync($"select {change}", "mine"u8.ToArray()));
            Assert.That(refused.SqlState, Is.EqualTo("OP403"), change);
            Assert.That(refused.MessageText, Does.Contain("identity provider"), change);
        }
    }

    private async Task<object?> RunAsync(string sql, byte[] secret)
    {
        await using var command = AsDashboard.CreateCommand(sql);
        command.Parameters.Add(new() { Value = secret });
        return await command.ExecuteScalarAsync();
    }
}
