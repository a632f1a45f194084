using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A database that breaks off costs time, not attempts.</summary>
public sealed class DatabaseAwayTests() : InAZoo("patient,mother")
{
    private const int Messages = 400;

    [Test]
    public async Task Nothing_is_lost_parked_or_counted_when_connections_are_killed_in_mid_run()
    {
        var listener = await System.Broker.ListenAsync<Born>();
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
            kills += (int)await System.Database.ScalarAsync<long>("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and application_name <> ''");
        }

        Assert.That(kills, Is.GreaterThan(0), "connections that were killed");
        await System.EventuallyFastForwardingAsync(
            () => System.Database.CountAsync("step_runs where subject_id = any($1) and status = $2", subjects, (short)StepStatus.Done), Is.EqualTo(2 * Messages), "steps that are done", TimeSpan.FromSeconds(60));
        Assert.That(await System.Database.CountAsync("step_runs where attempts <> 1"), Is.Zero, "steps that needed another attempt");
        Assert.That(await System.Database.CountAsync("effects"), Is.EqualTo(2 * Messages));
        Assert.That(await System.Broker.CountAsync("patient_error") + await System.Broker.CountAsync("mother_error"), Is.Zero, "parked");

        await System.EventuallyFastForwardingAsync(() => System.Database.CountAsync("outbox"), Is.Zero, "rows in the outbox");
        Assert.That((await ArrivedAsync(listener)).Distinct().Count(), Is.EqualTo(Messages), "messages published by the steps");
    }
}
