using Orders.Architecture.Tests.Dev;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// <c>./dev up --observability</c> up to the engine: what is remembered, what is refused, and what it says where there
/// is no Grafana. The engine's part is for <see cref="ObservedInstallationTests"/>.
/// </summary>
[Platform("Linux")]
internal sealed class ObservabilityUpTests
{
    private const string Grafana = "grafana/grafana:*";
    private const string Line = "COMPOSE_FILE=docker-compose.yml:deploy/observability/compose.yml";

    private Clone _clone = null!;

    [SetUp]
    public void Copy()
    {
        _clone = new Clone();
        string[] ports = ["PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT", "TRACES_PORT"];
        foreach (var port in ports)
            _clone.Setting(port, Clone.FreePort().ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task It_names_the_pages_and_the_next_up_without_it_has_them_too()
    {
        var first = await UpAsync("--observability");
        foreach (var page in (string[])["Prometheus ", "Alertmanager: ", "Grafana ", "Traces and logs "])
            Assert.That(first.Output, Does.Match($@"{page}\s*http://127\.0\.0\.1:\d+/"), page);
        Assert.That(_clone.Env, Does.Contain(Line).And.Match("(?m)^COMPOSE_PROFILES=demo$"));
        foreach (var secret in (string[])["TELEMETRY_KEY", "TELEMETRY_PASSWORD", "GRAFANA_PASSWORD"])
            Assert.That(_clone.Setting(secret), Has.Length.AtLeast(20), secret);

        var before = _clone.Env;
        var next = await UpAsync();
        Assert.That(next.Output, Does.Contain("Traces and logs"));
        Assert.That(_clone.Env, Is.EqualTo(before));
    }

    [Test]
    public async Task Without_it_no_image_of_it_is_asked_for()
    {
        var answer = await UpAsync();
        Assert.That(answer.Output, Does.Not.Contain("Prometheus").And.Not.Contain("Grafana"));
        Assert.That(_clone.Calls, Does.Not.Contain("prom/"));
        Assert.That(_clone.Env, Does.Not.Contain("COMPOSE_FILE"));
    }

    [Test]
    public async Task Where_no_Grafana_is_to_be_had_it_says_so_in_a_sentence_and_starts_the_rest()
    {
        _clone.Answer($"image inspect {Grafana}", "no such image\n", code: 1);
        _clone.Answer($"pull {Grafana}", "no route to host\n", code: 1);
        var answer = await UpAsync("--observability");
        Assert.That(
            answer.Output.Split('\n').Count(line => line.StartsWith("Grafana is left out", StringComparison.Ordinal)),
            Is.EqualTo(1)
        );
        Assert.That(answer.Output, Does.Contain("Traces and logs").And.Not.Match(@"Grafana\s+http"));
        Assert.That(_clone.Calls, Does.Contain("compose up -d --wait"));
    }

    [Test]
    public async Task Where_no_image_is_to_be_had_it_fails_and_names_them()
    {
        _clone.Answer("image inspect prom/*", "no such image\n", code: 1);
        _clone.Answer("pull prom/*", "no route to host\n", code: 1);
        var answer = await _clone.RunAsync("up", "--observability");
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Errors, Does.Contain("prom/prometheus:").And.Contain("prom/alertmanager:"));
        Assert.That(_clone.Env, Does.Not.Contain("COMPOSE_FILE"));
    }

    // Scrapes and traces would be the only plain text between two containers.
    [TestCase("COMPOSE_FILE=docker-compose.yml:docker-compose.tls.yml\n", "--observability")]
    [TestCase("COMPOSE_FILE=docker-compose.yml:deploy/observability/compose.yml\n", "--tls")]
    [TestCase("", "--tls", "--observability")]
    [TestCase("", "--observability", "--tls")]
    public async Task With_TLS_it_refuses(string env, params string[] options)
    {
        _clone.Env = env;
        var answer = await _clone.RunAsync(["up", .. options]);
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Errors, Does.Contain("plain text").And.Contain("observability"));
        Assert.That(_clone.Calls, Does.Not.Contain("compose up"));
    }

    private async Task<Answer> UpAsync(params string[] options)
    {
        var answer = await _clone.RunAsync(["up", .. options]);
        Assert.That(answer.Code, Is.Zero, answer.Text);
        return answer;
    }
}
