using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A database that breaks off costs time, not attempts.</summary>
public sealed class DatabaseAwayTests() : ZooFixture("patient,mother")
{
    private const int Messages = 400;

    [Test]
    public async Task Nothing_is_lost_dead_lettered_or_counted_when_connections_are_killed_in_mid_run()
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var subjects = Enumerable.Range(0, Messages).Select(_ => Guid.NewGuid()).ToArray();
        var kills = 0;
        foreach (var part in subjects.Chunk(Messages / 8))
        {
            foreach (var subject in part)
            {
                await DeliverAsync("patient", new Feed(subject));
                await DeliverAsync("mother", new Feed(subject));
            }

            // Connections of the host carry a name, those of the test none.
            kills += (int)
                await TestSystem.Database.ScalarAsync<long>(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name <> ''"
                );
        }

        Assert.That(kills, Is.GreaterThan(0), "connections that were killed");
        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2",
                    subjects,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(2 * Messages),
            "steps that are done",
            TimeSpan.FromMinutes(2)
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "steps that needed another attempt"
        );
        Assert.That(await TestSystem.Database.CountAsync("effects"), Is.EqualTo(2 * Messages));
        Assert.That(
            await TestSystem.Broker.CountAsync("patient_error") + await TestSystem.Broker.CountAsync("mother_error"),
            Is.Zero,
            "dead-lettered"
        );

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
        Assert.That(
            (await ArrivedAsync(listener)).Distinct().Count(),
            Is.EqualTo(Messages),
            "messages published by the steps"
        );
    }
}
