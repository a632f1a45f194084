using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Reports;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>What an attempt tells about itself is seen while it runs, and kept with it.</summary>
public sealed class ReportTests() : ZooFixture("hurried")
{
    [Test]
    public async Task A_running_attempt_is_seen_and_its_end_is_kept()
    {
        var (subject, gate) = (Guid.NewGuid(), new TaskCompletionSource());
        Script.For(
            subject,
            async (context, _) =>
            {
                context.Step().Report.Progress(0.5, "halfway");
                context.Step().Report.Log("a first line");
                await gate.Task;
                context.Step().Report.Progress(1);
                context.Step().Report.Log("a second line");
                context.Step().Report.Result(new { Pages = 3 });
            }
        );
        await DeliverAsync("hurried", new Feed(subject));
        await Eventually.That(
            () => ReportAsync(subject, "progress::text || activity || array_to_string(log, '|')"),
            Is.EqualTo("0.5halfwaya first line"),
            "the report of the running attempt"
        );
        Assert.That(await TestSystem.StatusAsync(subject, "hurried"), Is.Not.EqualTo(StepStatus.Done));
        gate.SetResult();

        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        Assert.That(
            await ReportAsync(subject, "progress::text || activity || array_to_string(log, '|') || (result->>'pages')"),
            Is.EqualTo("1halfwaya first line|a second line3")
        );
    }

    [Test]
    public async Task A_failed_attempt_keeps_its_report_beside_the_next_ones()
    {
        var subject = Guid.NewGuid();
        Script.For(
            subject,
            (context, run) =>
            {
                context.Step().Report.Log($"run {run}");
                return run == 1 ? throw new TimeoutException("The outside world is slow today.") : Task.CompletedTask;
            }
        );
        await DeliverAsync("hurried", new Feed(subject));
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );

        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(attempt || array_to_string(log, '|'), ' ' order by attempt) from step_reports where subject_id = $1",
                subject
            ),
            Is.EqualTo("1run 1 2run 2")
        );
    }

    [Test]
    public async Task A_step_that_tells_nothing_has_no_report()
    {
        var subject = Guid.NewGuid();
        await DeliverAsync("hurried", new Feed(subject));
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        Assert.That(await TestSystem.Database.CountAsync("step_reports where subject_id = $1", subject), Is.Zero);
    }

    [Test]
    public void A_report_is_bounded()
    {
        var run = OneProcess.Run(HurriedStep.Policy, Guid.NewGuid());
        for (var i = 0; i < RunReport.MostLines + 10; i++)
            run.Log($"{i} {new string('x', RunReport.LongestLine)}\0");
        var report = run.Report!.Of(run);
        Assert.Multiple(() =>
        {
            Assert.That(report.Log, Has.Length.EqualTo(RunReport.MostLines));
            Assert.That(report.Log[0], Does.StartWith("10 ").And.Length.EqualTo(RunReport.LongestLine));
            Assert.That(() => run.Result(new string('x', RunReport.LargestResult)), Throws.ArgumentException);
            Assert.That(() => run.ReportProgress(1.5), Throws.TypeOf<ArgumentOutOfRangeException>());
        });
    }

    private Task<string> ReportAsync(Guid subject, string what) =>
        TestSystem.Database.ScalarAsync<string>(
            $"select coalesce((select {what} from step_reports where subject_id = $1), '')",
            subject
        );
}
