using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// After a failover the connections may lead to a standby that is not promoted yet: reading works, writing does not.
/// That is nobody's fault.
/// </summary>
public sealed class ReadOnlyDatabaseTests() : ZooFixture("patient,mother,careful")
{
    private const int Messages = 50;

    private static readonly string[] AllSteps = ["patient", "mother", "careful"];

    [Test]
    public async Task Nothing_is_dead_lettered_or_counted_while_the_database_takes_no_writes()
    {
        var subjects = Enumerable.Range(0, Messages).Select(_ => Guid.NewGuid()).ToArray();
        await SwitchAsync("on");
        foreach (var subject in subjects)
        {
            foreach (var step in AllSteps)
                await DeliverAsync(step, new Feed(subject));
        }

        await Eventually.Is(
            () => subjects.Any(s => Script.RunsOf(s) >= AllSteps.Length),
            "the steps have run and could not commit"
        );
        Assert.That(await TestSystem.Database.CountAsync("effects"), Is.Zero, "effects while nothing can be written");

        await SwitchAsync("off");
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("step_runs where status = $1", (short)StepStatus.Done),
            Is.EqualTo(AllSteps.Length * Messages),
            "steps that are done",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "steps that needed another attempt"
        );
        foreach (var step in AllSteps)
            Assert.That(
                await TestSystem.Broker.CountAsync($"{step}_error"),
                Is.Zero,
                $"dead-lettered messages of {step}"
            );
    }

    // Connections of the host carry a name, those of the test none. Sessions keep what was the default when they began.
    private async Task SwitchAsync(string value)
    {
        await TestSystem.Database.ExecuteAsync(
            "set default_transaction_read_only = off; do $$ begin execute format('alter database %I set default_transaction_read_only = "
                + value
                + "', current_database()); end $$"
        );
        await TestSystem.Database.ScalarAsync<long>(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name <> ''"
        );
    }
}
