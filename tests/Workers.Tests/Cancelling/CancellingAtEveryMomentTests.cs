using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure;
using Orders.Infrastructure.Cancelling;
using Orders.Testing;
using Orders.Workers.Email;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Workers.Tests.Cancelling;

/// <summary>When a cancellation comes, seen from one step.</summary>
public enum Moment
{
    /// <summary>The step's message is there, and the step has not begun.</summary>
    Before,

    /// <summary>The step is at work and obeys its token.</summary>
    During,

    /// <summary>The step has done its work outside and has not committed it.</summary>
    BeforeItsCommit,

    /// <summary>The step is done, and another is not.</summary>
    After,
}

/// <summary>
/// An order is cancelled before, during and after each of its steps. Whatever the moment, the order ends as Cancelled,
/// and the ledgers agree: stock, invoices, mails and the warehouse's.
/// Each step runs in a process of its own, with its own database rights.
/// </summary>
public sealed class CancellingAtEveryMomentTests : InstallationFixture
{
    private static readonly string[] AllSteps = ["email", "inventory", "invoice", "warehouse"];
    private readonly ConcurrentDictionary<string, StepScript> _scripts = new();
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        foreach (var step in AllSteps)
            await StartAsync(step, _scripts.GetOrAdd(step, _ => new StepScript()));
        _host = await TestSystem.StartAsync("");
    }

    [Test]
    [Parallelizable(ParallelScope.All)]
    public async Task The_order_and_the_ledgers_agree(
        [Values("email", "inventory", "invoice", "warehouse")] string step,
        [Values] Moment moment
    )
    {
        var order = SampleOrders.New(await TestSystem.RequiredStepsAsync());
        var (reached, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        FaultProfile(order.Id, step, moment, reached, cancelled);
        // While this one waits the order cannot be completed, whatever the step under test does.
        Hold(
            order.Id,
            step switch
            {
                "invoice" => "warehouse",
                "warehouse" or "inventory" => "invoice",
                _ => "inventory",
            },
            cancelled
        );
        var intake = _host.Services.GetRequiredService<global::Orders.Infrastructure.Intake.OrderIntake>();
        await intake.AcceptAsync(order);
        await (
            moment == Moment.After
                ? TestSystem.UntilAsync(order.Id, step, StepStatus.Done)
                : reached.Task.WaitAsync(TimeSpan.FromSeconds(30))
        );

        var cancellation = _host.Services.GetRequiredService<OrderCancellation>();
        Assert.That(
            await cancellation.CancelAsync(order.Id, "tests", CancellationToken.None),
            Is.EqualTo(CancelOutcome.Cancelled)
        );
        cancelled.SetResult();

        // Every step that was sent a message has to end, well or left out; what a step that came later still does would
        // disturb an agreement of before.
        var sent =
            step is "invoice" or "warehouse" || (step, moment) == ("inventory", Moment.After)
                ? AllSteps
                : ["email", "inventory"];
        await Eventually.That(
            () => DisagreementsAsync(order.Id, sent),
            Is.Empty,
            "what does not agree",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            await cancellation.CancelAsync(order.Id, "tests", CancellationToken.None),
            Is.EqualTo(CancelOutcome.AlreadyCancelled)
        );
        var expected = moment is Moment.BeforeItsCommit or Moment.After ? StepStatus.Done : StepStatus.Cancelled;
        Assert.That(await TestSystem.StatusAsync(order.Id, step), Is.EqualTo(expected), "the step's status");
    }

    [Test]
    public async Task A_completed_order_cannot_be_cancelled()
    {
        var order = await TestSystem.PostAsync(_host);
        await TestSystem.UntilAsync(order, OrderStatus.Completed);

        Assert.That(
            await _host
                .Services.GetRequiredService<OrderCancellation>()
                .CancelAsync(order, "tests", CancellationToken.None),
            Is.EqualTo(CancelOutcome.Completed)
        );
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Completed));
    }

    [Test]
    public async Task Somebody_elses_order_cannot_be_cancelled()
    {
        var order = await TestSystem.StoreAsync();

        Assert.That(
            await _host
                .Services.GetRequiredService<OrderCancellation>()
                .CancelAsync(order, "somebody else", CancellationToken.None),
            Is.EqualTo(CancelOutcome.NotFound)
        );
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Accepted));
    }

    private void FaultProfile(
        Guid order,
        string step,
        Moment moment,
        TaskCompletionSource reached,
        TaskCompletionSource cancelled
    )
    {
        switch (moment)
        {
            case Moment.Before:
                Hold(order, step, new TaskCompletionSource(), reached);
                break;
            case Moment.During:
                _scripts[step]
                    .For(
                        order,
                        async (context, _) =>
                        {
                            if (context.GetPayload<StepRun>().IsCompensation)
                                return;
                            reached.TrySetResult();
                            await Task.Delay(Timeout.InfiniteTimeSpan, context.CancellationToken);
                        }
                    );
                break;
            case Moment.BeforeItsCommit:
                _scripts[step]
                    .AfterFor(
                        order,
                        async context =>
                        {
                            if (context.GetPayload<StepRun>().IsCompensation)
                                return;
                            reached.TrySetResult();
                            await cancelled.Task;
                        }
                    );
                break;
        }
    }

    // The message is there and comes again and again, as one does whose effect another run has claimed: until the order
    // is cancelled, or until the step is left out.
    private void Hold(Guid order, string step, TaskCompletionSource cancelled, TaskCompletionSource? reached = null) =>
        _scripts[step]
            .For(
                order,
                (context, _) =>
                {
                    if (context.GetPayload<StepRun>().IsCompensation || cancelled.Task.IsCompleted)
                        return Task.CompletedTask;
                    reached?.TrySetResult();
                    throw new EffectInProgressException(step, order, DateTimeOffset.UtcNow.AddMilliseconds(200));
                }
            );

    private async Task<List<string>> DisagreementsAsync(Guid order, string[] sent)
    {
        var wrong = new List<string>();
        Check(await TestSystem.OrderStatusAsync(order) == OrderStatus.Cancelled, "the order is not Cancelled");
        foreach (var step in AllSteps)
            await CheckStepAsync(step);
        Check(
            await CountAsync("stock_movements where order_id = $1 having sum(quantity) <> 0", order) == 0,
            "stock that was taken is not back"
        );
        var reserved = await TestSystem.StatusAsync(order, "inventory") == StepStatus.Done;
        Check(
            await CountAsync("stock_movements where order_id = $1", order) == (reserved ? 4 : 0),
            "movements are missing or double"
        );
        Check(
            await CountAsync(
                "invoices i full join credit_notes n using (order_id) where order_id = $1 and (i.sha256 is null or n.sha256 is null)",
                order
            ) == 0,
            "an invoice without its credit note"
        );
        Check(
            await CountAsync("credit_notes where order_id = $1", order)
                == (await TestSystem.StatusAsync(order, "invoice") == StepStatus.Done ? 1 : 0),
            "credit notes"
        );

        var calls = World.Warehouse.Of(order.ToString()).Where(c => c.IsAccepted).ToArray();
        var told = calls.Count(c => !c.IsRecall);
        Check(
            told == (await TestSystem.StatusAsync(order, "warehouse") == StepStatus.Done ? 1 : 0),
            $"{told} pick lists"
        );
        Check(told == 0 || calls.Count(c => c.IsRecall) == 1, "a pick list without its recall");
        Check(calls is [] || calls[^1].IsRecall, "the warehouse was told to send last");

        Check(
            Mails("email") == (await TestSystem.StatusAsync(order, "email") == StepStatus.Done ? 1 : 0),
            "confirmations"
        );
        Check(Mails("email-undo") == 1, $"{Mails("email-undo")} mails about the cancellation");
        return wrong;

        int Mails(string effect) =>
            World.Mails.Delivered.Count(m => m.MessageId == MessageIds.For(effect, order, "orders.example"));

        Task<long> CountAsync(string what, Guid id) =>
            TestSystem.Database.ScalarAsync<long>($"select count(*) from (select from {what}) t", id);

        async Task CheckStepAsync(string step)
        {
            var status = await TestSystem.StatusAsync(order, step);
            var done =
                await CountAsync(
                    $"effects where subject_id = $1 and effect = '{step}' and state = {EffectState.Done:D}",
                    order
                ) == 1;
            Check(
                done == (status == StepStatus.Done),
                $"{step} is {status}, its effect {(done ? "is" : "is not")} done"
            );
            Check(
                status is StepStatus.Done or StepStatus.Cancelled
                    || (status is StepStatus.Waiting && !sent.Contains(step)),
                $"{step} is {status}"
            );
            Check(
                !done
                    || await CountAsync(
                        $"effects where subject_id = $1 and effect = '{step}-undo' and state = {EffectState.Done:D}",
                        order
                    ) == 1,
                $"{step} is not undone"
            );
        }

        void Check(bool holds, string problem)
        {
            if (!holds)
                wrong.Add(problem);
        }
    }
}
