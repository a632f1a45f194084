using Npgsql;
using Orders.Chaos.Collecting;
using Orders.Chaos.Running;
using Orders.Testing;
using Orders.Workers;

namespace Orders.Chaos.Tests.Running;

/// <summary>What a wait for rest says in the end.</summary>
public sealed class RestTests
{
    [Test]
    public async Task A_broker_that_never_came_back_is_named_and_does_not_end_the_run()
    {
        await using var system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        await using var database = NpgsqlDataSource.Create(system.Database.ConnectionString);
        // Nobody listens on port 1.
        using var management = new HttpClient { BaseAddress = new Uri("http://127.0.0.1:1/") };
        var rest = new Rest(new MovingEvidence(database), new BrokerEvidence(management, "/"));

        var (after, moving) = await rest.WaitAsync(
            patience: TimeSpan.FromSeconds(1),
            atMost: TimeSpan.FromSeconds(1),
            CancellationToken.None
        );

        Assert.That(after, Is.Null, "when it came to rest");
        Assert.That(moving.Select(m => m.What), Does.Contain("the broker does not answer"));
    }
}
