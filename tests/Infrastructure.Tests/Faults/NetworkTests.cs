using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// A network between a worker and its servers that breaks, or falls silent without telling anybody. Scaled: what lasts
/// minutes out there lasts seconds here, past every retry that could give up.
/// </summary>
public sealed class NetworkTests : SystemFixture
{
    // The promise is about 20 s: heartbeats of eight seconds for the broker, 15 s of a command for the database. The
    // rest is for a machine with more to do than it can, where 25 s were not enough. Without the two it is minutes.
    private static readonly TimeSpan HalfOpenNoticed = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan CutFor = TimeSpan.FromSeconds(8);

    // 10 s are promised for a broker that was restarted, and the rest is for a busy machine. MassTransit's own policy
    // would wait 27 and 30 s after the last losses.
    private static readonly TimeSpan ReconnectedWithin = TimeSpan.FromSeconds(20);

    [Test]
    public async Task A_worker_cut_off_from_its_database_dead_letters_nothing_and_counts_nothing()
    {
        var source = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        await using var network = new TcpProxy(source.Host!, source.Port);
        var script = new StepScript();
        await using var host = await TestSystem.StartAsync(
            [.. TestSystem.Catalogue.Choose("patient").Select(script.In)],
            null,
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(source.ConnectionString)
                {
                    Host = "127.0.0.1",
                    Port = network.Port,
                }.ConnectionString
            )
        );
        var subjects = Enumerable.Range(0, 100).Select(_ => Guid.NewGuid()).ToArray();
        var cut = DateTime.UtcNow;
        network.Cut();
        foreach (var subject in subjects)
            await TestSystem.Broker.PublishToAsync("patient", new Feed(subject));
        await Eventually.Is(
            () => subjects.Any(s => script.RunsOf(s) > 0) && DateTime.UtcNow - cut > CutFor,
            "the worker has been cut off for a while with work in its hands"
        );
        network.Restore();

        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2",
                    subjects,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(subjects.Length),
            "steps that are done"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where subject_id = any($1) and attempts <> 1", subjects),
            Is.Zero,
            "steps that needed another attempt"
        );
        Assert.That(await TestSystem.Broker.CountAsync("patient_error"), Is.Zero, "dead-lettered");
        Assert.That(
            host.Log.Lines.Count(l => l.Level >= Microsoft.Extensions.Logging.LogLevel.Warning),
            Is.LessThanOrEqualTo(20 * ((int)(DateTime.UtcNow - cut).TotalSeconds + 1)),
            "warnings: at most twenty in each second since the cut"
        );
    }

    [Test]
    public async Task A_broker_that_falls_silent_is_noticed_by_relay_and_steps()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        await using var host = await TestSystem.StartAsync(
            "mother",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}")
        );
        var connection = await host
            .Services.GetRequiredService<QueueWorkers.Messaging.BrokerConnection>()
            .OpenAsync(CancellationToken.None);
        var message = OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid());

        network.Silence();
        await host.Services.GetRequiredService<OutboxWriter>().InsertAsync(message, CancellationToken.None);
        await Eventually.Is(() => !connection.IsOpen, "the relay has given up its connection", HalfOpenNoticed);

        network.Cut();
        network.Restore();
        var subject = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync("mother", new Feed(subject));
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "mother"),
            Is.EqualTo(StepStatus.Done),
            "status of the step",
            TimeSpan.FromSeconds(60)
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
        Assert.That(await ArrivedAsync(listener), Does.Contain(message.MessageId));
    }

    [Test]
    public async Task A_broker_that_takes_the_connection_and_says_nothing_is_given_up_and_tried_again()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        network.Silence();
        var starting = TestSystem.StartAsync(
            "hurried",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}")
        );
        await Eventually.That(
            () => network.Connections,
            Is.GreaterThanOrEqualTo(2),
            "relay and steps wait for the broker's greeting"
        );
        network.RestoreForNewConnections();

        await using var host = await starting;
        var subject = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(subject));
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        await host
            .Services.GetRequiredService<QueueWorkers.Messaging.BrokerConnection>()
            .OpenAsync(CancellationToken.None);
    }

    // MassTransit's own policy waits 6, 9, 14, 27 and then 30 seconds, however well the worker did in between.
    [Test]
    public async Task A_worker_that_has_lost_its_broker_many_times_is_back_as_soon_as_after_the_first()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        // Without a relay: who is refused here is the bus.
        await using var host = await TestSystem.StartAsync(
            "hurried",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}"),
            ("Outbox:Relay", "false")
        );
        for (var loss = 1; loss <= 5; loss++)
        {
            var refused = network.Refused;
            network.Cut();
            await Eventually.That(
                () => network.Refused,
                Is.GreaterThan(refused),
                "tries to connect in vain",
                TimeSpan.FromMinutes(1)
            );
            network.Restore();
            var subject = Guid.NewGuid();
            await TestSystem.Broker.PublishToAsync("hurried", new Feed(subject));
            await Eventually.That(
                () => TestSystem.StatusAsync(subject, "hurried"),
                Is.EqualTo(StepStatus.Done),
                $"status of the step after {loss} losses of the broker",
                ReconnectedWithin
            );
        }
    }

    // Nobody tells the worker: the connections in its pool stay open and say nothing, and only new ones reach the
    // database. Half a minute: too long for every run of the suite.
    [Test, Category("Long")]
    public async Task A_database_that_falls_silent_is_noticed_and_work_goes_on_over_new_connections()
    {
        var source = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        await using var network = new TcpProxy(source.Host!, source.Port);
        await using var host = await TestSystem.StartAsync(
            "careful",
            null,
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(source.ConnectionString)
                {
                    Host = "127.0.0.1",
                    Port = network.Port,
                }.ConnectionString
            )
        );
        var (before, during) = (Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Broker.PublishToAsync("careful", new Feed(before));
        await TestSystem.UntilAsync(before, "careful", StepStatus.Done);

        var open = network.Connections;
        Assert.That(open, Is.Positive, "connections of the worker to its database");
        network.Silence();
        network.RestoreForNewConnections();
        await TestSystem.Broker.PublishToAsync("careful", new Feed(during));
        await Eventually.That(
            async () =>
            {
                await TestSystem.Database.ExecuteAsync(
                    $"update effects set lease_until = now() where state = {EffectState.Pending:D} and lease_until > now() and at < now() - interval '5 seconds'"
                );
                await TestSystem.FastForwardAsync();
                return await TestSystem.StatusAsync(during, "careful");
            },
            Is.EqualTo(StepStatus.Done),
            "status of the step",
            HalfOpenNoticed
        );
        Assert.That(
            network.Connections,
            Is.GreaterThanOrEqualTo(open),
            "the silent connections are still there: nobody has closed them for the worker"
        );
        Assert.That(await TestSystem.AttemptsAsync(during, "careful"), Is.EqualTo(1));
    }
}
