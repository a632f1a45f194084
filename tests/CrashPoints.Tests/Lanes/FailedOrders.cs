using Orders.Contracts;
using Orders.Infrastructure;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Redrive;
using QueueWorkers.Steps;
using RabbitMQ.Client;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// Three orders that the warehouse has refused: their messages are dead-lettered and indexed. And what operators do
/// about it.
/// </summary>
internal sealed class FailedOrders
{
    private const int Count = 3;
    private const string Queue = "warehouse_error";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lane _lane;
    private readonly OperatorClient _operator;
    private readonly string _listener;
    private readonly PostedOrder[] _orders = [.. Enumerable.Range(0, Count).Select(_ => new PostedOrder())];

    private FailedOrders(Lane lane, OperatorClient @operator, string listener) =>
        (_lane, _operator, _listener) = (lane, @operator, listener);

    private TestDatabase Database => _lane.TestSystem.Database;

    private TestBroker Broker => _lane.TestSystem.Broker;

    private Guid[] Subjects => Array.ConvertAll(_orders, o => o.Id);

    /// <summary>Posts them and waits until they are dead-lettered. The warehouse refuses until it is healed.</summary>
    public static async Task<FailedOrders> DeadLetterAsync(Lane lane, OperatorClient @operator)
    {
        lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Reject));
        var deadLettered = new FailedOrders(lane, @operator, await lane.TestSystem.Broker.ListenAsync<StockReserved>());
        foreach (var order in deadLettered._orders)
            await lane.PostAsync(order);
        await deadLettered.UntilDeadLetteredAsync();
        await deadLettered.UntilNoCopyIsUnderWayAsync();
        return deadLettered;
    }

    /// <summary>Redrives them, one first and then the others.</summary>
    public async Task RedriveAsync()
    {
        _lane.Heal();
        var failures = await FailuresAsync();
        await _operator.RedriveAsync(failures);
        await UntilDoneAsync(failures, Count);
    }

    /// <summary>Puts them away, brings them back, and redrives them.</summary>
    public async Task PutAwayAndRedriveAsync()
    {
        var failures = await FailuresAsync();
        await _operator.ArchiveAsync(failures);
        await Eventually.That(
            () => CountAsync($"state = {FailureState.Archived:D} and removed_at is not null"),
            Is.EqualTo(Count),
            "failures that were put away and taken out of the queue",
            Patience
        );
        await _operator.RestoreAsync(failures);
        await UntilDeadLetteredAsync();
        await RedriveAsync();
    }

    /// <summary>Empties their queue by hand, brings them back from the index, and redrives them.</summary>
    public async Task PurgeAndRedriveAsync()
    {
        var failures = await FailuresAsync();
        await EmptyAsync();
        await Eventually.That(
            () => CountAsync($"state = {FailureState.Gone:D} and removed_at is not null"),
            Is.EqualTo(Count),
            "failures whose message has gone",
            Patience
        );
        await _operator.RestoreAsync(failures);
        await UntilDeadLetteredAsync();
        await RedriveAsync();
    }

    /// <summary>
    /// Puts a second copy of each into the queue, as a relay does that dies between confirm and delete, and redrives
    /// them.
    /// </summary>
    public async Task CopyAndRedriveAsync()
    {
        foreach (
            var row in await Database.RowsAsync(
                "select message_id, body from failures where subject_id = any($1)",
                Subjects
            )
        )
            await Broker.PublishBytesAsync(Queue, (byte[])row[1]!, new ByHand { Id = (Guid)row[0]! });
        // Twice, because whoever looks at the queue holds messages for a moment.
        await Eventually.That(
            async () => (await Broker.CountAsync(Queue), await Broker.CountAsync(Queue)),
            Is.EqualTo(((uint)Count, (uint)Count)),
            $"messages in {Queue}, of which one of each is left",
            Patience
        );
        await RedriveAsync();
    }

    /// <summary>
    /// As if the broker had dead-lettered them, because their consumers had died again and again: no step has written
    /// anything down. They are found and redriven.
    /// </summary>
    public async Task FindAndRedriveAsync()
    {
        var bodies = await EmptyAsync();
        await Database.ExecuteAsync("delete from failures where subject_id = any($1)", Subjects);
        await Database.ExecuteAsync(
            "delete from step_runs where subject_id = any($1) and step = 'warehouse'",
            Subjects
        );
        await Database.ExecuteAsync("update order_progress set failed = 0 where order_id = any($1)", Subjects);
        foreach (var body in bodies)
            await Broker.PublishBytesAsync(
                Queue,
                body.Body,
                new ByHand
                {
                    Id = Guid.Parse(body.BasicProperties.MessageId!),
                    Headers = new() { ["x-first-death-reason"] = "delivery_limit"u8.ToArray() },
                }
            );
        await UntilDeadLetteredAsync();
        Assert.That(
            await Database.CountAsync(
                $"step_runs where subject_id = any($1) and step = 'warehouse' and status = {StepStatus.Failed:D}",
                Subjects
            ),
            Is.EqualTo(Count),
            "steps shown as dead-lettered"
        );
        Assert.That(
            await Database.CountAsync(
                $"order_progress where order_id = any($1) and status = {OrderStatus.NeedsAttention:D}",
                Subjects
            ),
            Is.EqualTo(Count),
            "orders that need attention"
        );
        await RedriveAsync();
    }

    /// <summary>
    /// Redrives them too early: the first one fails again, the redrive stops, is let go on, and what had failed again
    /// gets a redrive of its own.
    /// </summary>
    public async Task RedriveTooEarlyAsync()
    {
        var failures = await FailuresAsync();
        await _operator.RedriveAsync(failures);
        var redrive = await RedriveOfAsync(failures);
        await Eventually.That(
            () => Database.CountAsync("redrives where id = $1 and stopped_at is not null", redrive),
            Is.EqualTo(1),
            "redrives that have stopped",
            Patience
        );
        await UntilNothingIsToBeSentAsync();
        await UntilDeadLetteredAsync();
        _lane.Heal();
        await _operator.ResumeAsync(redrive);
        await UntilDoneAsync(failures, Count - 1, failedAgain: 1);

        var again = await FailuresAsync();
        Assert.That(again, Has.Length.EqualTo(1), "failures of the next generation");
        await _operator.RedriveAsync(again);
        await UntilDoneAsync(again, 1);
    }

    /// <summary>
    /// Plans a redrive that nobody starts, until it ends by itself after an hour; then redrives them.
    /// </summary>
    public async Task PlanAndRedriveAsync()
    {
        var failures = await FailuresAsync();
        await _operator.RedriveAsync(failures, start: false);
        var planned = await RedriveOfAsync(failures);
        await Database.ExecuteAsync(
            "update redrives set created_at = created_at - interval '61 minutes' where id = $1",
            planned
        );
        await Eventually.That(
            () => Database.CountAsync($"redrives where id = $1 and stage = {RedriveStage.Done:D}", planned),
            Is.EqualTo(1),
            "plans that have ended",
            Patience
        );
        Assert.That(
            await CountsAsync(planned),
            Is.EqualTo((0, 0, 0, 0, Count)),
            "what came of the messages of the plan"
        );
        await RedriveAsync();
    }

    /// <summary>
    /// As if their runs had died and nobody could say whether the warehouse was told: an operator says that it was not,
    /// of each, and asks for redrives, because the answer may have been lost.
    /// </summary>
    public async Task SettleAndRedriveAsync()
    {
        _lane.Heal();
        await Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state) select subject_id, step, message_id, step, 3 from failures where subject_id = any($1)",
            Subjects
        );
        var failures = await FailuresAsync();
        foreach (var order in _orders)
            await _operator.SettleAsync(order.Id);
        foreach (var failure in failures)
        {
            await _operator.RedriveAsync([failure]);
            await UntilDoneAsync([failure], 1);
        }
    }

    /// <summary>
    /// Waits until nothing is left of it: the orders are as if they had never been dead-lettered, queue and index say
    /// the same.
    /// </summary>
    public async Task UntilRightAsync()
    {
        foreach (var order in _orders)
            await _lane.UntilRightAsync(order);
        await Eventually.That(
            () =>
                CountAsync(
                    $"not (state in ({FailureState.Redriven:D}, {FailureState.FailedAgain:D}) and closed_at is not null and removed_at is not null)"
                ),
            Is.Zero,
            "failures that are open, or not taken out of their queue",
            Patience
        );
        await Eventually.That(() => Broker.CountAsync(Queue), Is.Zero, $"messages in {Queue}", Patience);
        Assert.That(
            await Database.CountAsync($"redrives where stage <> {RedriveStage.Done:D}"),
            Is.Zero,
            "redrives that are not done"
        );
        Assert.That(
            await Database.CountAsync(
                $"redrive_items where state in ({RedriveItemState.Waiting:D}, {RedriveItemState.Sent:D})"
            ),
            Is.Zero,
            "messages of redrives of which it is not known what came of them"
        );
        Assert.That(
            await Database.CountAsync($"failures where state in ({FailureState.Failed:D}, {FailureState.Redriving:D})"),
            Is.Zero,
            "failures of anybody"
        );
    }

    private async Task UntilDeadLetteredAsync()
    {
        await Eventually.That(
            () => CountAsync($"state = {FailureState.Failed:D} and removed_at is null"),
            Is.EqualTo(Count),
            "failures in the index",
            Patience
        );
        // A message that was put back without its row having heard of it is put back again, and counted as a copy.
        await Eventually.That(
            async () => await Broker.CountAsync(Queue) - await StandingAsync(),
            Is.Zero,
            $"messages in {Queue} that the index does not know, or knows and are not there",
            Patience
        );
    }

    // A relay whose machine stood still for longer than a row's lease sends the message twice. A copy that reached the
    // warehouse only once it is well would do the work before the redrive, which then rightly skips that message: the
    // totals would be another case's.
    private async Task UntilNoCopyIsUnderWayAsync()
    {
        await UntilNothingIsToBeSentAsync();
        await Eventually.That(
            async () => await Broker.CountAsync(_listener) - await CopiesAsync(),
            Is.Zero,
            "messages to the warehouse that are not dead-lettered yet",
            Patience
        );
        await UntilDeadLetteredAsync();
    }

    private async Task UntilNothingIsToBeSentAsync() =>
        await Eventually.That(() => Database.CountAsync("outbox"), Is.Zero, "rows in the outbox", Patience);

    // Of several copies of one message one is left.
    private Task<long> StandingAsync() => CountAsync($"state = {FailureState.Failed:D} and removed_at is null");

    private Task<long> CopiesAsync() =>
        Database.ScalarAsync<long>(
            $"select coalesce(sum(greatest(copies, 1)), 0)::bigint from failures where subject_id = any($1) and state = {FailureState.Failed:D}",
            Subjects
        );

    private async Task UntilDoneAsync(Guid[] failures, int done, int failedAgain = 0)
    {
        var redrive = await RedriveOfAsync(failures);
        await _lane.TestSystem.EventuallyFastForwardingAsync(
            () => Database.CountAsync("redrives where id = $1 and stage = $2", redrive, (short)RedriveStage.Done),
            Is.EqualTo(1),
            "redrives that are done",
            Patience
        );
        Assert.That(
            await CountsAsync(redrive),
            Is.EqualTo((0, 0, done, failedAgain, 0)),
            "what came of the messages of the redrive"
        );
        Assert.That(
            (await _operator.ReadAsync(redrive))["redrive"]!["total"]!.GetValue<int>(),
            Is.EqualTo(failures.Length),
            "total of the redrive"
        );
    }

    private async Task<(int Waiting, int Sent, int Done, int FailedAgain, int Skipped)> CountsAsync(Guid redrive)
    {
        var found = await _operator.ReadAsync(redrive);
        return (Of("waiting"), Of("sent"), Of("done"), Of("failedAgain"), Of("skipped"));

        int Of(string name) => found[name]!.GetValue<int>();
    }

    // However often it was asked for: one that is not cancelled.
    private async Task<Guid> RedriveOfAsync(Guid[] failures)
    {
        var redrives = await Database.RowsAsync(
            $"select distinct redrive_id from redrive_items where failure_id = any($1) and state <> {RedriveItemState.Skipped:D}",
            failures
        );
        Assert.That(redrives, Has.Count.EqualTo(1), "redrives of these messages");
        return (Guid)redrives.Single()[0]!;
    }

    private async Task<Guid[]> FailuresAsync() =>
        [
            .. (
                await Database.RowsAsync(
                    "select id from failures where subject_id = any($1) and state = $2",
                    Subjects,
                    (short)FailureState.Failed
                )
            ).Select(r => (Guid)r[0]!),
        ];

    private Task<long> CountAsync(string condition) =>
        Database.CountAsync($"failures where subject_id = any($1) and ({condition})", Subjects);

    // Whoever is looking at the queue holds messages for a moment. And one may stand there twice: its worker was cut
    // off, or slow, between dead-lettering it and saying so.
    private async Task<BasicGetResult[]> EmptyAsync()
    {
        var (standing, taken) = (await StandingAsync(), new List<BasicGetResult>());
        await Eventually.That(
            async () =>
            {
                taken.AddRange(await Broker.TakeAllAsync(Queue));
                return taken.DistinctBy(m => m.BasicProperties.MessageId).Count();
            },
            Is.EqualTo(standing),
            $"messages taken out of {Queue}"
        );
        return [.. taken.DistinctBy(m => m.BasicProperties.MessageId)];
    }
}
