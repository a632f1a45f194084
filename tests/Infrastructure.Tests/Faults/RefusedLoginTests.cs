using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// The broker refuses a worker's login for a while: its password was changed, or its virtual host was deleted and
/// recreated.
/// </summary>
public sealed class RefusedLoginTests : SystemFixture
{
    [Test]
    public async Task Consumers_and_relay_return_once_the_password_is_right_again_and_meanwhile_the_worker_says_why()
    {
        var user = await UserAsync("right");
        await using var host = await TestSystem.StartAsync(
            "hurried",
            null,
            [.. As(user), ("Health:ConsumingWithin", "00:01:00")]
        );
        await HealthyAsync(host);
        Assert.That(await TestSystem.Broker.ConsumersAsync("hurried"), Is.EqualTo(1u));

        await TestSystem.Broker.Management.PutUserAsync(user, "wrong", "", CancellationToken.None);
        await CloseConnectionsAsync(user);
        var report = await Eventually.That(
            () => CheckAsync(host),
            Has.Property(nameof(HealthReportEntry.Status)).EqualTo(HealthStatus.Unhealthy),
            "health of the worker"
        );
        Assert.That(
            report.Description,
            Does.Contain($"refused the login of user {user}").And.Contain("RabbitMq__Password")
        );
        // MassTransit must have met the refusal too, or the test would show nothing.
        await Eventually.Is(
            () => host.Log.Lines.Any(l => l.Line.Contains("MassTransit Connection Failed", StringComparison.Ordinal)),
            "a refused connection of the step in the log"
        );
        var subject = Guid.NewGuid();
        await host
            .Services.GetRequiredService<OutboxWriter>()
            .InsertAsync(OutgoingMessage.Create(new Feed(subject), subject, queue: "hurried"), CancellationToken.None);

        await TestSystem.Broker.Management.PutUserAsync(user, "right", "", CancellationToken.None);
        await Eventually.That(() => TestSystem.Broker.ConsumersAsync("hurried"), Is.EqualTo(1u), "consumers");
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        await HealthyAsync(host);
    }

    [Test]
    public async Task A_worker_that_starts_while_its_login_is_refused_consumes_once_it_is_taken()
    {
        var user = await UserAsync("wrong");
        var log = new LogCapture();
        var starting = TestSystem.StartAsync("hurried", s => s.AddSingleton<ILoggerProvider>(log), [.. As(user)]);
        await Eventually.That(
            () => log.Lines.Count(l => l.Line.Contains("Bus waited with its start", StringComparison.Ordinal)),
            Is.GreaterThan(1),
            "refused logins before the start"
        );

        await TestSystem.Broker.Management.PutUserAsync(user, "right", "", CancellationToken.None);
        await using var host = await starting;
        Assert.That(await TestSystem.Broker.ConsumersAsync("hurried"), Is.EqualTo(1u), "consumers");
        var subject = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(subject));
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        await HealthyAsync(host);
    }

    [Test]
    public async Task A_worker_that_cannot_log_in_ends_itself_after_the_configured_time()
    {
        var user = await UserAsync("right");
        await using var host = await TestSystem.StartAsync(
            "hurried",
            null,
            [.. As(user), ("Health:ExitAfter", "00:00:02")]
        );
        await HealthyAsync(host);
        try
        {
            await TestSystem.Broker.Management.PutUserAsync(user, "wrong", "", CancellationToken.None);
            await CloseConnectionsAsync(user);
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            await Eventually.Is(() => stopping.IsCancellationRequested, "the process ends itself");
            // The exit code is the whole process's, and other fixtures have hosts in it: UnhealthyWorkerTests looks at it.
            Assert.That(
                host.Log.Lines.Select(l => l.Line),
                Has.Some.Contains("Process ended itself")
                    .And.Contains($"refused the login of user {user}")
                    .And.Contains("Exit code 75")
            );
        }
        finally
        {
            // It is the test run's own.
            Environment.ExitCode = 0;
        }
    }

    [Test]
    public async Task A_broker_that_cannot_be_reached_is_no_reason_to_end_the_process()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        await using var host = await TestSystem.StartAsync(
            "hurried",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}"),
            ("Health:ConsumingWithin", "00:00:01"),
            ("Health:ExitAfter", "00:00:01")
        );
        await HealthyAsync(host);
        network.Cut();
        // With so short a time a busy machine makes it unhealthy for another reason, for a moment.
        await Eventually.That(
            () => CheckAsync(host),
            Has.Property(nameof(HealthReportEntry.Status))
                .EqualTo(HealthStatus.Unhealthy)
                .And.Property(nameof(HealthReportEntry.Description))
                .Contains("cannot be reached"),
            "health of the worker"
        );
        // Two more looks at least, each after the time to end.
        var lines = host.Log.Lines.Count;
        await Eventually.Is(() => host.Log.Lines.Count > lines + 4, "tries to connect go on");
        Assert.That(
            host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested,
            Is.False,
            "the process ends itself"
        );
    }

    private static async Task<HealthReportEntry> CheckAsync(RunningHost host) =>
        (
            await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(r => r.Name == "consuming")
        ).Entries["consuming"];

    private static Task<HealthReportEntry> HealthyAsync(RunningHost host) =>
        Eventually.That(
            () => CheckAsync(host),
            Has.Property(nameof(HealthReportEntry.Status)).EqualTo(HealthStatus.Healthy),
            "health of the worker"
        );

    private static IEnumerable<(string Name, string? Value)> As(string user) =>
        [("RabbitMq:Username", user), ("RabbitMq:Password", "right")];

    private async Task<string> UserAsync(string password)
    {
        var user = $"worker-{Guid.NewGuid():N}";
        await TestSystem.Broker.Management.PutUserAsync(user, password, "", CancellationToken.None);
        await TestSystem.Broker.Management.PutPermissionsAsync(
            TestSystem.Broker.Options.VirtualHost,
            user,
            new BrokerPermissions(".*", ".*", ".*"),
            CancellationToken.None
        );
        return user;
    }

    // The broker lists a connection some seconds after it was opened: closed are those that it knows of, until there is
    // no consumer left.
    private Task<uint> CloseConnectionsAsync(string user) =>
        Eventually.That(
            async () =>
            {
                await TestSystem.Broker.CloseConnectionsAsync(user);
                return await TestSystem.Broker.ConsumersAsync("hurried");
            },
            Is.Zero,
            "consumers"
        );
}
