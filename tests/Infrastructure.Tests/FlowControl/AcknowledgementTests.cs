using Orders.Testing;
using QueueWorkers.FlowControl.Workers;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// Who changes a step is told how many workers have read the change: by the reports of the workers, and with the names
/// of those that did not answer.
/// </summary>
public sealed class AcknowledgementTests : WithReplicas
{
    private WorkerAcknowledgements Acknowledgements => new(TestSystem.Database.Source);

    [Test]
    public async Task Each_living_worker_of_the_step_answers_and_its_gate_is_closed_then()
    {
        await StartAsync(2, "patient", (_, _) => Task.CompletedTask);
        await UntilReportedAsync(2);
        await Controls.PauseAsync("patient", Because("a test"));
        var answer = await Acknowledgements.OfStepAsync("patient", default);
        Assert.That(answer.Confirm("patient is paused"), Is.EqualTo("patient is paused on 2 of 2 workers."));
        await Eventually.Is(() => Replicas.All(r => GateOf(r, "patient").Limit == 0), "every gate is closed");
        Assert.That(
            (await Acknowledgements.OfStepAsync("hurried", default)).Confirm("hurried is paused"),
            Is.EqualTo("hurried is paused. No worker that it concerns is running.")
        );
    }

    [Test]
    public async Task One_that_does_not_answer_is_named_and_those_that_are_gone_are_not_waited_for()
    {
        await StartAsync(1, "patient", (_, _) => Task.CompletedTask);
        await UntilReportedAsync(1);
        await TestSystem.Database.ExecuteAsync(
            """
            insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at, stopped_at)
            select gen_random_uuid(), host, 1, '1.0.0', '{patient}', 0, now() - interval '1 hour', now() - ago,
                case when host = 'stopped' then now() end
            from (values ('frozen', interval '0'), ('stopped', interval '0'), ('dead', interval '1 minute'))
                as w(host, ago)
            """
        );
        await Controls.ResumeAsync("patient", Because("a test"));
        var answer = await Acknowledgements.OfStepAsync("patient", default);
        Assert.That((answer.Workers, answer.Answered), Is.EqualTo((2, 1)));
        Assert.That(answer.Silent, Is.EqualTo(["frozen"]));
        Assert.That(
            answer.Confirm("patient runs"),
            Is.EqualTo(
                "patient runs on 1 of 2 workers. No answer within 8 s from frozen; a worker reads the change before it begins another message."
            )
        );
    }

    private async Task UntilReportedAsync(int count) =>
        await Eventually.That(
            () => TestSystem.Database.CountAsync("workers where stopped_at is null"),
            Is.EqualTo((long)count),
            "workers that reported themselves"
        );
}
