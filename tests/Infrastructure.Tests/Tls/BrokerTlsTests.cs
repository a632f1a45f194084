using System.Net.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Tls;
using Orders.Testing.Zoo;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Monitoring;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Tests.Tls;

/// <summary>
/// RabbitMQ with TLS whose certificate is changed while the test runs: somebody in between, or an operator's mistake.
/// </summary>
public sealed class BrokerTlsTests : SystemFixture
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TestAuthority _authority = null!;
    private TlsBroker _broker = null!;

    [OneTimeSetUp]
    public async Task StartABrokerAsync()
    {
        _authority = new TestAuthority();
        _broker = await TlsBroker.StartAsync(_authority.Certify(Wrong.Nothing));
        await RightAsync();
        await DeployAsync();
    }

    [OneTimeTearDown]
    public async Task StopItAsync()
    {
        if (_broker is not null)
            await _broker.DisposeAsync();
        _authority.Dispose();
    }

    private TestCertificate Certify(Wrong wrong) => _authority.Certify(wrong, _broker.Host);

    [SetUp]
    public Task RightAsync() => _broker.UseAsync(Certify(Wrong.Nothing));

    [Test]
    public async Task A_right_certificate_is_taken_with_TLS_1_3()
    {
        await using var connection = await BrokerConnection
            .CreateFactory(_broker.Encrypted(_authority))
            .CreateConnectionAsync("tests");
        Assert.That(connection.IsOpen);
        Assert.That(await _broker.ProtocolsAsync(), Does.Contain("tlsv1.3").And.Not.Contain("tlsv1.2"));
    }

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_certificate_of_somebody_else_is_refused_by_every_connection_and_the_message_waits(Wrong wrong)
    {
        await using var host = await TestSystem.StartAsync("hurried", null, Settings());
        await Eventually.That(
            () => CheckAsync(host),
            Has.Property(nameof(HealthReportEntry.Status)).EqualTo(HealthStatus.Healthy),
            "health of the worker"
        );
        await _broker.UseAsync(Certify(wrong));
        await _broker.CloseConnectionsAsync();

        var says = TlsWords.On(wrong, "RabbitMq__Host", "RabbitMq__CaFile");
        await Eventually.That(
            () => Line(host, "Connecting to the broker failed", "was refused"),
            says,
            "what the relay says",
            Patience
        );
        // The step's own connection, which by itself would take any authority.
        await Eventually.That(
            () => Line(host, "MassTransit Connection Failed"),
            Is.Not.Empty,
            "a refused connection of the step in the log",
            Patience
        );
        Assert.That(await ConsumersAsync(), Is.Zero, "consumers");
        // With so short a time a busy machine makes it unhealthy for another reason, for a moment.
        await Eventually.That(
            async () =>
                await CheckAsync(host) is { Status: HealthStatus.Unhealthy, Description: { } description }
                    ? description
                    : "",
            says,
            "why the worker is unhealthy",
            Patience
        );
        ManagementRefuses(wrong);
        var subject = Guid.NewGuid();
        await host
            .Services.GetRequiredService<OutboxWriter>()
            .InsertAsync(OutgoingMessage.Create(new Feed(subject), subject, queue: "hurried"), CancellationToken.None);
        Assert.That(await TestSystem.StatusAsync(subject, "hurried"), Is.EqualTo(StepStatus.Waiting));

        // Renewed: no restart.
        await _broker.UseAsync(Certify(Wrong.Nothing));
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done, Patience);
        Assert.That(await TestSystem.AttemptsAsync(subject, "hurried"), Is.EqualTo(1), "attempts");
    }

    [Test]
    public void A_server_that_speaks_plain_text_gets_no_password()
    {
        var options = _broker.Encrypted(_authority) with { Port = _broker.Plain.Port };
        var fault = Assert.CatchAsync(() => BrokerConnection.CreateFactory(options).CreateConnectionAsync("tests"));
        Assert.That(fault, Is.InstanceOf<BrokerUnreachableException>());
        Assert.That(BrokerFault.Describe(fault!, options), TlsWords.OnPlainText("RabbitMq__Port"));
    }

    [Test]
    public void A_management_API_that_speaks_plain_text_gets_no_password()
    {
        var plain = TestSystem.Broker.Options.ManagementUri!;
        var options = _broker.Encrypted(_authority) with
        {
            ManagementUri = new UriBuilder(plain) { Scheme = Uri.UriSchemeHttps }.Uri,
        };
        using var reader = new QueueReader(options);
        Assert.That(
            () => reader.ReadAsync(CancellationToken.None),
            Throws
                .TypeOf<HttpRequestException>()
                .With.Message.Contains("was refused: expected TLS, found")
                .And.Message.Contains("RabbitMq__ManagementUri")
        );
    }

    [Test]
    public async Task A_worker_that_starts_with_a_wrong_certificate_waits_says_why_and_consumes_once_it_is_right()
    {
        await _broker.UseAsync(Certify(Wrong.Name));
        var log = new LogCapture();
        var starting = TestSystem.StartAsync("hurried", s => s.AddSingleton<ILoggerProvider>(log), Settings());
        await Eventually.That(
            () =>
                log.Lines.Select(l => l.Line)
                    .FirstOrDefault(l => l.Contains("Bus waited with its start", StringComparison.Ordinal))
                ?? "",
            TlsWords.On(Wrong.Name, "RabbitMq__Host", "RabbitMq__CaFile"),
            "what the worker says"
        );
        Assert.That(starting.IsCompleted, Is.False);

        await _broker.UseAsync(Certify(Wrong.Nothing));
        await using var host = await starting;
        await Eventually.That(
            () => CheckAsync(host),
            Has.Property(nameof(HealthReportEntry.Status)).EqualTo(HealthStatus.Healthy),
            "health of the worker"
        );
    }

    [Test]
    public async Task A_new_authority_in_the_file_needs_no_restart_and_two_are_valid_at_once()
    {
        using var next = new TestAuthority("Next year's authority");
        var options = _broker.Encrypted(_authority) with { CaFile = _authority.Write("both.pem", _authority.Pem) };
        await using var connection = new BrokerConnection(options, Log);
        await connection.OpenAsync(CancellationToken.None);

        await _broker.UseAsync(next.Certify(Wrong.Nothing, _broker.Host));
        await _broker.CloseConnectionsAsync();
        await Eventually.Is(() => !connection.IsReady, "the connection is closed");
        Assert.That(() => connection.OpenAsync(CancellationToken.None), Throws.TypeOf<BrokerUnreachableException>());
        _authority.Write("both.pem", _authority.Pem + "\n" + next.Pem);
        Assert.That((await connection.OpenAsync(CancellationToken.None)).IsOpen);
    }

    [Test]
    public async Task A_deployment_with_a_wrong_certificate_ends_at_once_with_the_sentence()
    {
        await _broker.UseAsync(Certify(Wrong.Authority));
        var refused = Assert.CatchAsync<InvalidConfigurationException>(DeployAsync);
        Assert.That(refused!.Message, TlsWords.On(Wrong.Authority, "RabbitMq__Host", "RabbitMq__CaFile"));
    }

    // Without a name in the certificate that fits the first node; a cluster's nodes have one each.
    [Test]
    public async Task Of_a_cluster_each_node_may_have_a_certificate_of_its_own()
    {
        var options = _broker.Encrypted(_authority) with { Host = $"elsewhere.invalid,{_broker.Host}" };
        await using var connection = await BrokerConnection.CreateFactory(options).CreateConnectionAsync("tests");
        Assert.That(connection.IsOpen);
        var one = options.Trust.RequireOneOf(options.Hosts);
        using var certificate = Certify(Wrong.Nothing).Load();
        using var chain = new System.Security.Cryptography.X509Certificates.X509Chain();
        Assert.That(one(this, certificate, chain, SslPolicyErrors.RemoteCertificateNameMismatch));
    }

    private static Microsoft.Extensions.Logging.Abstractions.NullLogger<BrokerConnection> Log =>
        Microsoft.Extensions.Logging.Abstractions.NullLogger<BrokerConnection>.Instance;

    private Task DeployAsync() =>
        DeployCommand.RunAsync(
            TestSystem.Configuration(Settings()),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );

    private IEnumerable<(string Name, string? Value)> Settings()
    {
        var options = _broker.Encrypted(_authority);
        return
        [
            ("RabbitMq:Host", options.Host),
            ("RabbitMq:Port", $"{options.Port}"),
            ("RabbitMq:VirtualHost", options.VirtualHost),
            ("RabbitMq:Username", options.Username),
            ("RabbitMq:Password", options.Password),
            ("RabbitMq:Tls", "true"),
            ("RabbitMq:CaFile", options.CaFile),
            ("RabbitMq:ManagementUri", options.ManagementUri!.ToString()),
            ("Health:ConsumingWithin", "00:00:01"),
            ("Health:ExitAfter", "00:00:00"),
        ];
    }

    private void ManagementRefuses(Wrong wrong)
    {
        using var reader = new QueueReader(_broker.Encrypted(_authority));
        var fault = Assert.CatchAsync<HttpRequestException>(() => reader.ReadAsync(CancellationToken.None));
        Assert.That(fault!.Message, TlsWords.On(wrong, "RabbitMq__ManagementUri", "RabbitMq__CaFile"));
    }

    private async Task<uint> ConsumersAsync()
    {
        await using var connection = await BrokerConnection.CreateFactory(_broker.Plain).CreateConnectionAsync("tests");
        await using var channel = await connection.CreateChannelAsync();
        return (await channel.QueueDeclarePassiveAsync("hurried")).ConsumerCount;
    }

    private static string Line(RunningHost host, params string[] words) =>
        host.Log.Lines.Select(l => l.Line)
            .FirstOrDefault(line => words.All(w => line.Contains(w, StringComparison.Ordinal)))
        ?? "";

    private static async Task<HealthReportEntry> CheckAsync(RunningHost host) =>
        (
            await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(r => r.Name == "consuming")
        ).Entries["consuming"];
}
