using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// The demo's mail server and warehouse start for whoever tries the system, and not beside a mail server and a warehouse
/// of one's own.
/// </summary>
[Platform("Linux")]
internal sealed class DemoProfileTests
{
    private const string Own = "SMTP_HOST=mail.example\nWAREHOUSE_URL=https://stock.example/\n";

    private Clone _clone = null!;

    [SetUp]
    public void Copy() => _clone = new Clone();

    [TearDown]
    public void Remove() => _clone.Dispose();

    [TestCase("", "COMPOSE_PROFILES=demo")]
    [TestCase("SMTP_HOST=mail.example\n", "COMPOSE_PROFILES=demo")]
    [TestCase("SMTP_HOST=outside-world\nWAREHOUSE_URL=https://stock.example/\n", "COMPOSE_PROFILES=demo")]
    [TestCase(Own, "COMPOSE_PROFILES=")]
    [TestCase("Email__Smtp__Host=mail.example\nWarehouse__Url=https://stock.example/\n", "COMPOSE_PROFILES=")]
    [TestCase("COMPOSE_PROFILES=\n", "COMPOSE_PROFILES=")]
    [TestCase($"{Own}COMPOSE_PROFILES=demo\n", "COMPOSE_PROFILES=demo")]
    public async Task Env_says_once_whether_there_is_a_demo(string env, string line)
    {
        _clone.Env = env;
        for (var times = 0; times < 2; times++)
        {
            var answer = await _clone.RunAsync("env");
            Assert.That(answer.Code, Is.Zero, answer.Text);
            Assert.That(
                _clone.Env.Split('\n').Where(l => l.StartsWith("COMPOSE_PROFILES", StringComparison.Ordinal)),
                Is.EqualTo([line])
            );
        }
    }

    [TestCase("COMPOSE_PROFILES=\n", true)]
    [TestCase($"{Own}COMPOSE_PROFILES=\n", false)]
    [TestCase("COMPOSE_PROFILES=demo\n", false)]
    public async Task Up_says_when_nothing_takes_mails_or_pick_lists(string env, bool says)
    {
        _clone.Env = env;
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(
            answer.Errors.Contains("Nothing takes mails or pick lists: COMPOSE_PROFILES", StringComparison.Ordinal),
            Is.EqualTo(says),
            answer.Text
        );
    }

    [TestCase("", true)]
    [TestCase(Own, false)]
    public async Task Up_names_the_page_of_the_demo_and_asks_for_its_port_only_where_there_is_one(
        string env,
        bool isDemo
    )
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        _clone.Env = env;
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output.Contains("Mails and warehouse", StringComparison.Ordinal), Is.EqualTo(isDemo));
        _clone.Setting(
            "OUTSIDE_WORLD_PORT",
            ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)
        );
        answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.EqualTo(isDemo ? 1 : 0), answer.Text);
        Assert.That(answer.Errors.Contains("OUTSIDE_WORLD_PORT", StringComparison.Ordinal), Is.EqualTo(isDemo));
    }
}
