using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure.Deployment;
using Orders.OutsideWorld;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests;

/// <summary>
/// An installation and an outside world of a fixture's own. Steps run in it with the database rights that their
/// deployment would give them, and no more.
/// </summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[Parallelizable(ParallelScope.Self)]
public abstract class InstallationFixture
{
    private readonly List<string> _roles = [];

    protected OrdersSystem TestSystem { get; private set; } = null!;

    protected RunningWorld World { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task Install()
    {
        World = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Tests.Settings.WarehouseSecret);
        TestSystem = await OrdersSystem.CreateAsync(Steps.Catalogue);
    }

    [OneTimeTearDown]
    public async Task Uninstall()
    {
        foreach (var role in _roles)
            await TestSystem.Database.ExecuteAsync($"drop owned by {role}; drop role {role}");
        if (TestSystem is not null)
            await TestSystem.DisposeAsync();
        await World.DisposeAsync();
    }

    /// <summary>Settings with which every step finds the outside world.</summary>
    public static IEnumerable<(string Name, string? Value)> Towards(RunningWorld world) =>
        [
            ("Email:Smtp:Host", "127.0.0.1"),
            ("Email:Smtp:Port", $"{world.SmtpPort}"),
            ("Email:Smtp:Security", "None"),
            ("Email:From", "Orders <orders@orders.example>"),
            ("Email:ReceiptsOf", "127.0.0.1"),
            ("Email:ReceiptsUrl", new Uri(world.BaseUri, "mails").ToString()),
            ("Warehouse:Url", new Uri(world.BaseUri, "warehouse").ToString()),
            ("Warehouse:Secret", Tests.Settings.WarehouseSecret),
        ];

    /// <summary>Starts a process with one step.</summary>
    protected Task<RunningHost> StartAsync(string step, params (string Name, string? Value)[] settings) =>
        StartAsync(step, script: null, settings);

    /// <summary>Starts a process with one step that a script makes misbehave.</summary>
    protected Task<RunningHost> StartAsync(
        string step,
        StepScript? script,
        params (string Name, string? Value)[] settings
    ) => StartAsync(step, script, null, settings);

    /// <summary>Starts a process with one step and more.</summary>
    protected async Task<RunningHost> StartAsync(
        string step,
        StepScript? script,
        Action<IServiceCollection>? services,
        params (string Name, string? Value)[] settings
    )
    {
        var role = $"steps_{Guid.NewGuid():N}";
        var entry = Steps.Catalogue.Steps.Single(s => s.Name == step);
        await TestSystem.Database.ExecuteAsync($"create role {role}; grant usage on schema public to {role}");
        _roles.Add(role);
        foreach (var grant in DatabaseGrants.Worker.Concat(entry.Policy.Grants))
            await TestSystem.Database.ExecuteAsync($"grant {grant} to {role}");
        return await TestSystem.StartAsync(
            [script?.In(entry) ?? entry],
            services,
            [
                .. Towards(World),
                ("ConnectionStrings:Postgres", $"{TestSystem.Database.ConnectionString};Options=-c role={role}"),
                .. settings,
            ]
        );
    }

    /// <summary>Delivers a message about an order to one step, and to nobody else.</summary>
    protected Task DeliverAsync<T>(string step, Guid order, T message, Guid? id = null)
        where T : class =>
        TestSystem.Broker.PublishToAsync(
            step,
            message,
            new ByHand { Id = id ?? Guid.NewGuid(), CorrelationId = order }
        );

    /// <summary>Lets the leases of dead runs and the waits of delayed messages pass, and waits for a step.</summary>
    protected Task UntilInTheEndAsync(Guid order, string step, StepStatus status) =>
        Eventually.That(
            async () =>
            {
                await TestSystem.Database.ExecuteAsync(
                    $"update effects set lease_until = now() where state = {EffectState.Pending:D} and lease_until > now() and at < now() - interval '5 seconds'"
                );
                await TestSystem.FastForwardAsync();
                return await TestSystem.StatusAsync(order, step);
            },
            Is.EqualTo(status),
            $"status of step '{step}'",
            TimeSpan.FromSeconds(60)
        );
}
