using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// A worker process that can no longer consume: it says so at <c>/health/ready</c>, ends itself, is started again by its
/// supervisor until the reason is gone, and then clears its backlog. Without anybody's help but for the reason.
/// </summary>
public sealed class UnhealthyWorkerTests : InstallationFixture
{
    private const string Step = "inventory";
    private const int Backlog = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [OneTimeSetUp]
    public Task FillStockAsync() =>
        TestSystem.Database.ExecuteAsync("update stock set initial = initial + 100000, on_hand = on_hand + 100000");

    [Test, Order(1)]
    public async Task A_worker_whose_login_is_refused_is_unhealthy_is_restarted_and_clears_its_backlog()
    {
        var user = $"worker-{Guid.NewGuid():N}";
        await PasswordAsync(user, SharedLogins.Password);
        await using var worker = Start(
            ("RabbitMq:Username", user),
            ("RabbitMq:Password", SharedLogins.Password),
            ("Health:ExitAfter", "00:00:10")
        );
        await worker.UntilReadyAsync();

        await PasswordAsync(user, "another-password-than-before");
        await Eventually.That(
            async () =>
            {
                // The broker lists a connection some seconds after it was opened.
                await TestSystem.Broker.CloseConnectionsAsync(user);
                return await TestSystem.Broker.ConsumersAsync(Step);
            },
            Is.Zero,
            "consumers",
            Patience
        );
        await UnhealthyAndRestartedAsync(worker, $"refused the login of user {user}");

        await PasswordAsync(user, SharedLogins.Password);
        await ClearedAsync(worker);
    }

    [Test, Order(2)]
    public async Task A_worker_whose_connection_hangs_is_unhealthy_is_restarted_and_clears_its_backlog()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        await using var worker = Start(
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}"),
            ("Health:ConsumingWithin", "00:00:20"),
            ("Health:ExitAfter", "00:00:10")
        );
        await worker.UntilReadyAsync();

        network.Silence();
        await UnhealthyAndRestartedAsync(worker, "does not answer");

        // What the dead processes had open stays silent for ever.
        network.RestoreForNewConnections();
        await ClearedAsync(worker);
    }

    private SupervisedHost Start(params (string Name, string? Value)[] settings) =>
        SupervisedHost.Start("Workers", TestSystem.Settings([("Workers:Steps", Step), .. settings]));

    private async Task UnhealthyAndRestartedAsync(SupervisedHost worker, string reason)
    {
        await using (var door = await TestSystem.StartAsync(""))
        {
            for (var n = 0; n < Backlog; n++)
                await TestSystem.PostAsync(door);
            await TestSystem.UntilOutboxIsEmptyAsync();
        }

        await Eventually.That(
            () => worker.StatusAsync("/health/ready"),
            Is.EqualTo(503),
            "/health/ready of the worker",
            Patience
        );
        await Eventually.That(
            () => worker.Exits,
            Does.Contain(HealthOptions.ExitCode),
            "exit codes of the worker's processes",
            Patience
        );
        Assert.That(worker.Exits, Is.All.EqualTo(HealthOptions.ExitCode), worker.ToString());
        Assert.That(worker.ToString(), Does.Contain("Process ended itself").And.Contain(reason));
    }

    private async Task ClearedAsync(SupervisedHost worker)
    {
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where step = $1 and status = $2",
                    Step,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(await TestSystem.Database.CountAsync("orders")),
            "orders that the step has done",
            Patience
        );
        Assert.That(await TestSystem.Broker.CountAsync(Step), Is.Zero, "messages in the queue");
        await worker.UntilReadyAsync();
    }

    // The broker's HTTP server may end a connection instead of an answer; the same password once more is the same.
    private Task PasswordAsync(string user, string password) =>
        Eventually.Is(
            async () =>
            {
                try
                {
                    await TestSystem.Broker.Management.PutUserAsync(user, password, "", CancellationToken.None);
                    await TestSystem.Broker.Management.PutPermissionsAsync(
                        TestSystem.Broker.Options.VirtualHost,
                        user,
                        new BrokerPermissions(".*", ".*", ".*"),
                        CancellationToken.None
                    );
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "the broker has the password"
        );
}
