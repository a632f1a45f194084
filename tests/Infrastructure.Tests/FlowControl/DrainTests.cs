using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// One of several replicas runs dry while the others go on; it says itself when nothing is left, and is given back.
/// </summary>
public sealed class DrainTests : WithReplicas
{
    private WorkerDrains Drains => new(TestSystem.Database.Source);

    private WorkerReader Workers => new(TestSystem.Database.Source);

    [Test]
    public async Task A_drained_replica_ends_what_it_runs_and_takes_nothing_more_and_another_has_the_rest()
    {
        var release = new TaskCompletionSource();
        await StartAsync(1, "hurried", (_, _) => release.Task);
        var (held, first) = (await DeliverAsync("hurried", 5), IdOf(0));
        await Eventually.That(() => Begun.Count, Is.EqualTo(5), "runs begun");

        await Drains.DrainAsync(first, Because("the machine is to be fixed"));
        await Eventually.Is(() => GateOf(Replicas[0], "hurried").Limit == 0, "the gate is closed", TakesEffectWithin);
        Assert.That(
            GateOf(Replicas[0], "hurried").ClosedBecause,
            Is.EqualTo("this worker is drained by an operator: the machine is to be fixed")
        );
        Assert.That((await FindAsync(first)).IsDrained, Is.False, "it is not drained while something runs");
        var later = await DeliverAsync("hurried", 20);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("hurried"),
            Is.EqualTo(20u),
            "messages that wait for another replica"
        );

        await StartAsync(1, "hurried", (_, _) => Task.CompletedTask);
        await UntilDoneAsync("hurried", 20);
        Assert.That(
            Begun.Skip(5).Select(b => b.Subject),
            Is.EquivalentTo(later),
            "runs of the new replica, which is another worker and is not drained"
        );

        release.SetResult();
        await Eventually.Is(
            async () => (await FindAsync(first)) is { IsDrained: true, Running: 0 },
            "it says that it is drained",
            TakesEffectWithin
        );
        await UntilDoneAsync("hurried", 25);
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where subject_id = any($1) and attempts = 1", held),
            Is.EqualTo(5),
            "what ran when it was drained came to its end, in one attempt"
        );
    }

    [Test]
    public async Task A_replica_that_is_given_back_works_again_and_common_limits_are_shared_as_before()
    {
        await Controls.SetConcurrencyAsync("patient", null, 4, Because("a test"));
        await StartAsync(2, "patient", (_, _) => Task.CompletedTask);
        await Eventually.That(Limits, Is.EqualTo([2, 2]), "shares of two replicas");

        await Drains.DrainAsync(IdOf(0), Because("a test", "a replica"));
        await Eventually.That(Limits, Is.EqualTo([0, 4]), "the share of a drained replica is the other's");
        await Eventually.Is(
            async () => (await FindAsync(IdOf(0))).IsDrained,
            "it says that it is drained, with a report after the one that closed its gate"
        );
        await Drains.DrainAsync(IdOf(0), Because("and once more", "a replica"));
        Assert.That((await FindAsync(IdOf(0))).IsDrained, Is.True, "asked twice, it is as drained as before");

        await Drains.UndrainAsync(IdOf(0), Because("the test goes on", "a replica"));
        await Eventually.That(Limits, Is.EqualTo([2, 2]), "shares after it was given back");
        await Eventually.Is(
            async () => (await FindAsync(IdOf(0))) is { IsDrained: false, DrainAskedAt: null },
            "it does not count as drained any more"
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(reason, ', ' order by id) from audit where target = 'a replica'"
            ),
            Is.EqualTo("a test, and once more, the test goes on"),
            "each is in the record"
        );
    }

    [Test]
    public async Task Only_a_process_that_is_there_can_be_drained()
    {
        await StartAsync(1, "patient", (_, _) => Task.CompletedTask);
        var id = IdOf(0);
        await Eventually.Is(async () => await Workers.FindAsync(id, default) is not null, "the first report");
        Assert.That(
            () => Drains.DrainAsync(Guid.NewGuid(), Because("a test")),
            Throws.TypeOf<UnknownWorkerException>()
        );
        await Replicas[0].StopAsync();
        Assert.That(
            () => Drains.DrainAsync(id, Because("a test")),
            Throws.TypeOf<WorkerStoppedException>().With.Message.Contains("another worker")
        );
    }

    [Test]
    public async Task A_report_names_the_oldest_runs_under_way()
    {
        var release = new TaskCompletionSource();
        await StartAsync(1, "patient", (_, _) => release.Task);
        var before = DateTimeOffset.UtcNow;
        await DeliverAsync("patient", 30);
        await Eventually.Is(
            async () => await Workers.FindAsync(IdOf(0), default) is { Running: 30 },
            "a report with thirty runs under way"
        );

        var worker = await FindAsync(IdOf(0));
        Assert.That(worker.Runs, Has.Count.EqualTo(Worker.MostRuns));
        Assert.That(
            worker.Runs.Select(r => r.Since),
            Is.Ordered.And.All.InRange(before.AddSeconds(-5), DateTimeOffset.UtcNow)
        );
        Assert.That(worker.Runs.Select(r => (r.Step, r.Attempt)), Is.All.EqualTo(("patient", 1)));
        Assert.That(worker.Runs.Select(r => r.SubjectId), Is.SubsetOf(Begun.Select(b => b.Subject)));
        Assert.That(
            await TestSystem.Database.CountAsync("step_builds where step = 'patient' and build = $1", worker.Version),
            Is.EqualTo(1),
            "the mark of the build"
        );

        release.SetResult();
        await Eventually.Is(
            async () => await Workers.FindAsync(IdOf(0), default) is { Running: 0, Runs.Count: 0 },
            "a report with none"
        );
    }

    private Guid IdOf(int replica) => Replicas[replica].Services.GetRequiredService<StepGates>().Me;

    private async Task<Worker> FindAsync(Guid id) =>
        await Workers.FindAsync(id, default) ?? throw new AssertionException($"Worker {id} has not reported itself.");

    private int[] Limits() => [.. Replicas.Select(r => GateOf(r, "patient").Limit)];
}
