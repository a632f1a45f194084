using Orders.Contracts;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Deployment;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>Deploying is safe to repeat, also by many at once, and puts the safety net in place.</summary>
public sealed class DeploymentTests : SystemFixture
{
    private static readonly string Key = ApiKeys.NewKey();

    [Test]
    public async Task Eight_deployments_of_an_empty_installation_at_once_all_succeed()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var broker = await TestBroker.CreateAsync();
        var configuration = TestSystem.Configuration(
            ("ConnectionStrings:Postgres", database.ConnectionString),
            ("RabbitMq:VirtualHost", broker.Options.VirtualHost),
            ("Deploy:DemoCatalogue", "false"),
            ("ORDERS_API_KEY", Key)
        );
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ =>
                    Task.Run(() =>
                        DeployCommand.RunAsync(configuration, ZooCatalogue.Of(), _ => { }, CancellationToken.None)
                    )
                )
        );

        Assert.That(
            await database.RowsAsync("select step, bit from step_catalogue where active order by position"),
            Is.EqualTo(new object[][] { ["hurried", 1], ["patient", 2], ["mother", 4], ["careful", 8] })
        );
        Assert.That(await database.CountAsync("api_keys"), Is.EqualTo(1));
        Assert.That(await broker.CountAsync("hurried"), Is.Zero);
    }

    [Test]
    public async Task A_key_keeps_the_scopes_that_an_operator_has_left_it()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        await DeployAsync();
        Assert.That(await ScopesAsync(), Is.EqualTo("orders:write,orders:read,webhooks:write"));
        await system.Database.ExecuteAsync(
            "update api_keys set scopes = array['orders:read'] where hash = $1",
            ApiKeys.HashOf(Key)
        );

        await DeployAsync();
        Assert.That(await ScopesAsync(), Is.EqualTo("orders:read"));

        Task DeployAsync() =>
            DeployCommand.RunAsync(
                system.Configuration(("ORDERS_API_KEY", Key)),
                ZooCatalogue.Of(),
                _ => { },
                CancellationToken.None
            );

        async Task<object?> ScopesAsync() =>
            (
                await system.Database.RowsAsync(
                    "select array_to_string(scopes, ',') from api_keys where hash = $1",
                    ApiKeys.HashOf(Key)
                )
            )[0][0];
    }

    // It would be stored, and the one before it revoked; then no host takes either.
    [TestCase("ORDERS_API_KEY", "ok_")]
    [TestCase("ORDERS_OPERATOR_KEY", "op_")]
    public void A_key_that_every_host_refuses_is_refused(string name, string prefix)
    {
        var key = prefix + Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        var refused = Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            DeployCommand.RunAsync(
                TestSystem.Configuration((name, key)),
                TestSystem.Catalogue,
                _ => { },
                CancellationToken.None
            )
        );
        Assert.That(refused.Message, Does.Contain($"{name} must be '{prefix}' and 43 characters").And.Not.Contain(key));
    }

    [Test]
    public async Task A_step_keeps_its_bit_when_the_catalogue_changes()
    {
        await using var system = await OrdersSystem.CreateAsync(
            new QueueWorkers.Steps.StepCatalogue().Add<HurriedStep>().Add<PatientStep>()
        );
        var changed = new QueueWorkers.Steps.StepCatalogue().Add<CarefulStep>().Add<PatientStep>();
        await DeployCommand.RunAsync(system.Configuration(), changed, _ => { }, CancellationToken.None);

        Assert.That(
            await system.Database.RowsAsync("select step, bit, position, active from step_catalogue order by bit"),
            Is.EqualTo(new object[][] { ["hurried", 1, 0, false], ["patient", 2, 1, true], ["careful", 4, 0, true] })
        );
    }

    [Test]
    public async Task A_message_that_no_queue_takes_ends_in_unrouted()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(system.Broker.Options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        foreach (var step in system.Catalogue.Steps)
            await channel.ExchangeUnbindAsync(step.Name, QueueWorkers.Outbox.MessageName.ExchangeOf(typeof(Feed)), "");

        await system.Broker.PublishAsync(new Feed(Guid.NewGuid()));
        await Eventually.That(
            () => system.Broker.CountAsync(BrokerDeployment.Unrouted),
            Is.EqualTo(1u),
            "messages in 'unrouted'"
        );
    }

    [Test]
    public async Task A_queue_that_the_configuration_names_is_told_what_it_asked_for_until_it_is_named_no_more()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        await DeployCommand.RunAsync(
            system.Configuration(("Deploy:Subscriptions:accounting", "OrderCompleted, OrderRejected")),
            ZooCatalogue.Of(),
            _ => { },
            CancellationToken.None
        );
        Assert.That(
            await system.Database.RowsAsync("select queue, exchange from subscriptions order by exchange"),
            Is.EqualTo(
                new object[][]
                {
                    ["accounting", "Orders.Contracts:OrderCompleted"],
                    ["accounting", "Orders.Contracts:OrderRejected"],
                }
            )
        );
        await system.Broker.PublishAsync(new OrderCompleted(Guid.NewGuid(), DateTimeOffset.UtcNow));
        await Eventually.That(() => system.Broker.CountAsync("accounting"), Is.EqualTo(1u), "messages in 'accounting'");

        await DeployCommand.RunAsync(system.Configuration(), ZooCatalogue.Of(), _ => { }, CancellationToken.None);
        Assert.That(await system.Database.CountAsync("subscriptions"), Is.Zero);
        Assert.That(await system.Broker.CountAsync("accounting"), Is.EqualTo(1u), "what had been published stays");
    }

    [Test]
    public void A_subscription_to_something_unknown_is_refused_with_what_there_is()
    {
        var refused = Assert.ThrowsAsync<QueueWorkers.Hosting.InvalidConfigurationException>(() =>
            DeployCommand.RunAsync(
                TestSystem.Configuration(
                    ("Deploy:Subscriptions:accounting", "OrderComplete"),
                    ("Deploy:Subscriptions:hurried_error", "OrderCompleted")
                ),
                TestSystem.Catalogue,
                _ => { },
                CancellationToken.None
            )
        );
        Assert.That(
            refused.Message,
            Does.Contain("Deploy:Subscriptions:accounting")
                .And.Contain("'OrderComplete'")
                .And.Contain("Deploy:Subscriptions:hurried_error")
        );
    }

    [Test]
    public async Task A_message_that_keeps_killing_its_consumer_ends_in_the_error_queue()
    {
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(Guid.NewGuid()));
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
            .CreateConnectionAsync();
        await Eventually.That(
            async () =>
            {
                // A consumer that dies with the message in its hands.
                await using (var channel = await connection.CreateChannelAsync())
                    await channel.BasicGetAsync("hurried", autoAck: false);
                return await TestSystem.Broker.CountAsync("hurried_error");
            },
            Is.EqualTo(1u),
            "messages in 'hurried_error'"
        );
        Assert.That(await TestSystem.Broker.CountAsync("hurried"), Is.Zero);
    }

    [Test]
    public async Task Looking_at_dead_lettered_messages_a_hundred_times_loses_none()
    {
        await TestSystem.Broker.PublishToAsync("patient_error", new Feed(Guid.NewGuid()));
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
            .CreateConnectionAsync();
        for (var look = 0; look < 100; look++)
        {
            await using var channel = await connection.CreateChannelAsync();
            await channel.BasicGetAsync("patient_error", autoAck: false);
        }

        await Eventually.That(
            () => TestSystem.Broker.CountAsync("patient_error"),
            Is.EqualTo(1u),
            "messages in 'patient_error'"
        );
    }

    [Test]
    public async Task A_database_of_another_build_is_refused_with_what_to_do_and_left_as_it_is()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        await system.Database.ExecuteAsync(
            """insert into "__EFMigrationsHistory" (migration_id, product_version) values ('20250101000000_Older', '9.0.0')"""
        );
        await system.Database.ExecuteAsync("update step_catalogue set active = false");

        var refused = Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            DeployCommand.RunAsync(system.Configuration(), ZooCatalogue.Of(), _ => { }, CancellationToken.None)
        );

        Assert.That(
            refused.Message,
            Does.Contain("20250101000000_Older")
                .And.Contain("nothing was changed")
                .And.Contain("ConnectionStrings__Postgres")
        );
        Assert.That(
            await system.Database.CountAsync("step_catalogue where active"),
            Is.Zero,
            "steps that the refused deployment wrote"
        );
        Assert.That(
            await system.Database.CountAsync("\"__EFMigrationsHistory\" where migration_id = '20250101000000_Older'"),
            Is.EqualTo(1)
        );
    }
}
