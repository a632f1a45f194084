using System.Reflection;
using System.Reflection.Emit;
using Npgsql;
using QueueWorkers.Consuming;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Idempotency;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Backlog;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Endpoints;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;
using QueueWorkers.Topology;

namespace Orders.Infrastructure.Tests.Telemetry;

/// <summary>
/// Attack: whoever can name things (queues, types of faults, priorities) names a thousand, and the memory of Prometheus
/// fills with series.
/// </summary>
public sealed class LabelBoundTests
{
    private const int Foreign = 1000;

    [Test]
    public void A_thousand_values_become_the_first_ones_and_other()
    {
        var label = new LabelValues(5);
        string[] values = [.. Enumerable.Range(0, Foreign).Select(n => label.Of($"value-{n}"))];
        Assert.Multiple(() =>
        {
            Assert.That(
                values.Distinct(),
                Is.EqualTo(["value-0", "value-1", "value-2", "value-3", "value-4", "other"])
            );
            Assert.That(label.Of("value-3"), Is.EqualTo("value-3"), "a value that is shown stays so");
            Assert.That(label.Of(new string('x', 10_000)), Is.EqualTo("other"), "a value without an end");
            Assert.That(label.Of(null), Is.EqualTo("other"));
        });
    }

    [Test]
    public void Values_that_come_at_the_same_moment_are_bounded_too()
    {
        var label = new LabelValues(5);
        var values = new string[Foreign];
        Parallel.For(0, Foreign, n => values[n] = label.Of($"value-{n}"));
        Assert.That(values.Distinct().ToArray(), Has.Length.EqualTo(6).And.Contains("other"));
    }

    [Test]
    public async Task A_thousand_types_of_faults_and_priorities_make_no_thousand_series()
    {
        using var recorder = new SeriesRecorder();
        await using var source = NpgsqlDataSource.Create("Host=nobody");
        await using var gates = Gates(source);
        var metrics = new StepMetrics(recorder.Meters, gates);
        foreach (var (type, n) in FaultTypes().Select((t, n) => (t, n)))
        {
            var run = Run(priority: (short)(n - 500));
            metrics.Failed(run, (Exception)Activator.CreateInstance(type)!, next: n % 2 == 0, inMemory: n % 3 == 0);
            metrics.Finished(run);
        }

        Assert.Multiple(() =>
        {
            Assert.That(
                recorder.Of("queueworkers.step.failed").Values.Sum(),
                Is.EqualTo(Foreign),
                "no attempt is left out"
            );
            Assert.That(recorder.Of("queueworkers.step.failed"), Has.Count.EqualTo(LabelValues.Usual + 1));
            // Two classes, and one more for those without a fault.
            Assert.That(
                recorder.Of("messaging.process.duration"),
                Has.Count.LessThanOrEqualTo((LabelValues.Usual + 2) * 2)
            );
            Assert.That(recorder.Of("queueworkers.step.done.duration"), Has.Count.EqualTo(2), "high and normal");
            Assert.That(recorder.Of("queueworkers.step.queue.duration"), Has.Count.EqualTo(2), "high and normal");
            Assert.That(recorder.Of("queueworkers.step.retried"), Has.Count.EqualTo(2), "retry and redelivery");
        });
    }

    [Test]
    public void A_thousand_queues_of_others_are_one_series_and_those_of_the_catalogue_stay()
    {
        using var recorder = new SeriesRecorder();
        var metrics = new BacklogMetrics(recorder.Meters);
        var others = Enumerable
            .Range(0, Foreign)
            .Select(n => new QueueBacklog($"forged-{n}", 2, 1, 1, TimeSpan.FromSeconds(n)));
        metrics.Show(
            [new QueueBacklog("email", 7, 3, 2, TimeSpan.FromSeconds(9)), .. others],
            new HashSet<string> { "email", "invoice" }
        );
        Assert.Multiple(() =>
        {
            Assert.That(
                recorder.Of("queueworkers.queue.messages"),
                Is.EquivalentTo(
                    new Dictionary<string, double>
                    {
                        ["queue=email,state=ready"] = 7,
                        ["queue=email,state=unacknowledged"] = 3,
                        ["queue=other,state=ready"] = 2000,
                        ["queue=other,state=unacknowledged"] = 1000,
                    }
                )
            );
            Assert.That(recorder.Of("queueworkers.queue.consumers")["queue=other"], Is.EqualTo(1000));
            Assert.That(recorder.Of("queueworkers.queue.age")["queue=other"], Is.EqualTo(999), "the oldest of all");
            Assert.That(recorder.Of("queueworkers.queue.age")["queue=email"], Is.EqualTo(9));
        });
    }

    [Test]
    public void A_broker_or_database_that_does_not_answer_leaves_no_old_figures()
    {
        using var recorder = new SeriesRecorder();
        var metrics = new BacklogMetrics(recorder.Meters);
        var now = DateTimeOffset.UtcNow;
        metrics.Show(new OutboxFigures(5, now.AddSeconds(-30), 2, null, 1), now);
        metrics.Show([new QueueBacklog("email", 7, 3, 2, TimeSpan.Zero)], new HashSet<string> { "email" });
        metrics.Show(null, now);
        metrics.Show(null, new HashSet<string> { "email" });
        Assert.Multiple(() =>
        {
            foreach (var name in (string[])["outbox.messages", "outbox.lag", "queue.messages", "queue.age"])
                Assert.That(recorder.Of($"queueworkers.{name}"), Is.Empty, name);
        });
        metrics.Show(new OutboxFigures(5, now.AddSeconds(-30), 2, null, 1), now);
        Assert.That(recorder.Of("queueworkers.outbox.lag").Values, Is.EqualTo([30.0]).Within(0.001));
    }

    [Test]
    public void A_thousand_lost_queues_are_bounded()
    {
        using var recorder = new SeriesRecorder();
        var metrics = new TopologyMetrics(recorder.Meters);
        for (var n = 0; n < Foreign; n++)
            metrics.Lost($"forged-{n}");
        Assert.That(recorder.Of("queueworkers.topology.lost"), Has.Count.EqualTo(201));
    }

    [Test]
    public async Task Counters_with_a_closed_set_of_labels_exist_before_the_first_event()
    {
        using var recorder = new SeriesRecorder();
        await using var source = NpgsqlDataSource.Create("Host=nobody");
        await using var gates = Gates(source);
        var metrics = new StepMetrics(recorder.Meters, gates);
        metrics.Zero();
        metrics.Duplicate(Run(null), DuplicateCause.Redrive);
        Assert.Multiple(() =>
        {
            Assert.That(recorder.Of("queueworkers.step.finished").Keys, Has.Exactly(4).Items);
            Assert.That(recorder.Of("queueworkers.step.finished").Values, Is.All.Zero);
            Assert.That(recorder.Of("queueworkers.step.deferred").Keys, Has.None.Contains("redelivery"));
            Assert.That(recorder.Of("queueworkers.step.duplicates")["cause=redrive,step=email"], Is.EqualTo(1));
            Assert.That(recorder.Of("queueworkers.step.duplicates")["cause=redelivery,step=email"], Is.Zero);
        });
    }

    private static StepGates Gates(NpgsqlDataSource source) =>
        new([new GatedStep("email", 1, 1, null, [])], source, TimeProvider.System);

    private static StepRun Run(short? priority) =>
        new(new StepPolicy("email"), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), 1, null)
        {
            Priority = priority,
            QueuedAt = DateTimeOffset.UtcNow,
        };

    // As a step's library may have them: types with names of their own.
    private static IEnumerable<Type> FaultTypes()
    {
        var module = AssemblyBuilder
            .DefineDynamicAssembly(new AssemblyName("Forged"), AssemblyBuilderAccess.RunAndCollect)
            .DefineDynamicModule("Forged");
        return Enumerable
            .Range(0, Foreign)
            .Select(n =>
                module.DefineType($"Forged{n}Exception", TypeAttributes.Public, typeof(Exception)).CreateType()
            );
    }
}
