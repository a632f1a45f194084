using System.Diagnostics;
using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary><c>./dev keys</c> and <c>./dev operators</c> as an admin types them.</summary>
internal sealed class AccountCommandTests : AccountFixture
{
    [Test]
    public async Task A_clients_key_is_made_listed_rotated_and_revoked()
    {
        var made = await OkAsync(
            "keys",
            "create",
            "shop",
            "--scopes",
            "orders:read,orders:write",
            "--expires",
            "90d",
            "--reason",
            "a \"new\" shop"
        );
        var key = made.Output.Trim();
        Assert.That(ApiKeyHash.IsWellFormed(key), "only the key is on standard output");
        Assert.That(made.Errors, Does.Contain("of shop. It is shown this once"));
        Assert.That(
            (await FindAsync(key))?.ExpiresAt,
            Is.InRange(DateTimeOffset.UtcNow.AddDays(89), DateTimeOffset.UtcNow.AddDays(91))
        );
        var list = (await OkAsync("keys", "list", "shop")).Output;
        Assert.That(
            list,
            Does.Match(
                $@"^shop +[0-9a-f-]{{36}}  {key[..7]}…  valid until \d{{4}}-\d\d-\d\dT\d\d:\d\dZ  \(orders:read,orders:write\)\n$"
            )
        );
        var id = list.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];

        var next = (await OkAsync("keys", "rotate", id, "--overlap", "0", "--reason", Because)).Output.Trim();
        Assert.That((await FindAsync(next))?.ClientId, Is.EqualTo("shop"));
        Assert.That(await FindAsync(key), Is.Null, "an overlap of 0 h");
        Assert.That((await DevAsync("keys", "rotate", id, "--reason", Because)).Code, Is.EqualTo(4));
        list = (await OkAsync("keys", "list", "shop")).Output;
        Assert.That(list, Does.Contain("expired, rotated").And.Contain($"{next[..7]}…  valid  "));
        id = list.Split('\n')
            .Single(l => l.Contains(next[..7], StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        await OkAsync("keys", "revoke", id, "--reason", Because);
        Assert.That(await FindAsync(next), Is.Null);
        Assert.That((await OkAsync("keys", "list", "shop")).Output, Does.Contain("revoked"));
        Assert.That((await OkAsync("keys", "list", "nobody")).Output, Is.EqualTo("There is no key.\n"));
    }

    [Test]
    public async Task An_operator_is_made_changed_and_shut_out()
    {
        var made = await OkAsync("operators", "create", "nils", "--role", "operator", "--reason", Because);
        using (var browser = await LogInAsync("nils", made.Output.Trim()))
            Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));
        await OkAsync("operators", "role", "nils", "viewer", "--reason", Because);
        var password = (await OkAsync("operators", "password", "nils", "--reason", Because)).Output.Trim();
        using (var browser = await LogInAsync("nils", password))
            Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));
        var key = (await OkAsync("operators", "create-key", "nils", "--reason", Because)).Output.Trim();
        Assert.That((await GetAsync("/api/me", key)).Body["role"]!.GetValue<string>(), Is.EqualTo("Viewer"));
        var list = (await OkAsync("operators", "list")).Output;
        Assert.That(
            list,
            Does.Match(@"(?m)^nils +Viewer +enabled, password, sessions: 1\n  key [0-9a-f-]{36}  op_.{4}…  valid$")
        );
        await OkAsync("operators", "disable", "nils", "--reason", Because);
        Assert.That((await GetAsync("/api/me", key)).Status, Is.EqualTo(401));
        Assert.That((await OkAsync("operators", "list")).Output, Does.Match("(?m)^nils +Viewer +disabled"));
        await OkAsync("operators", "enable", "nils", "--reason", Because);
        Assert.That((await GetAsync("/api/me", key)).Status, Is.EqualTo(200));
    }

    [TestCase(1, "did you mean 'create'?", "keys", "craete")]
    [TestCase(1, "into the audit record", "keys", "revoke", "00000000-0000-0000-0000-000000000001")]
    [TestCase(1, "Expected a key's id, found 'shop'", "keys", "rotate", "shop", "--reason", "x")]
    [TestCase(1, "There is no key 00000000", "keys", "revoke", "00000000-0000-0000-0000-000000000001", "--reason", "x")]
    [TestCase(1, "what may the key do?", "keys", "create", "shop", "--reason", "x")]
    [TestCase(1, "Expected one or more of the scopes", "keys", "create", "shop", "--scopes", "all", "--reason", "x")]
    [TestCase(
        1,
        "Expected days such as 90d",
        "keys",
        "create",
        "shop",
        "--scopes",
        "orders:read",
        "--expires",
        "soon",
        "--reason",
        "x"
    )]
    [TestCase(
        1,
        "Expected hours from 0 to 720",
        "keys",
        "rotate",
        "00000000-0000-0000-0000-000000000001",
        "--overlap",
        "long",
        "--reason",
        "x"
    )]
    [TestCase(1, "did you mean 'admin'?", "operators", "role", "vera", "amdin", "--reason", "x")]
    [TestCase(1, "There is no operator 'nobody'", "operators", "disable", "nobody", "--reason", "x")]
    [TestCase(4, "lock the last admin out", "operators", "disable", "anna", "--reason", "x")]
    [TestCase(0, "Usage: ./dev keys", "keys", "--help")]
    [TestCase(0, "Usage: ./dev operators", "operators", "--help")]
    public async Task What_cannot_be_done_is_said(int code, string says, params string[] command)
    {
        var answer = await DevAsync(command);
        Assert.That(answer.Code, Is.EqualTo(code), answer.ToString());
        Assert.That(answer.Output + answer.Errors, Does.Contain(says));
    }

    private Task<KnownClient?> FindAsync(string key) =>
        new ApiKeyReader(TestSystem.Database.Source).FindAsync(ApiKeys.HashOf(key), default);

    private async Task<(int Code, string Output, string Errors)> OkAsync(params string[] command)
    {
        var answer = await DevAsync(command);
        Assert.That(answer.Code, Is.Zero, answer.ToString());
        return answer;
    }

    private async Task<(int Code, string Output, string Errors)> DevAsync(params string[] command)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent;
        var start = new ProcessStartInfo("bash", ["dev", .. command])
        {
            WorkingDirectory = root!.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ORDERS_OPERATOR_KEY"] = AdminKey;
        start.Environment["BIND_ADDRESS"] = "127.0.0.1";
        start.Environment["DASHBOARD_PORT"] = Dashboard.Address.Port.ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, said[0], said[1]);
    }
}
