using System.Text;
using Orders.Contracts;
using Orders.CrashPoints.Tests.Lanes;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using RabbitMQ.Client;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>
/// Which scenario leads to which failpoint: most lie on the way of every order, the others need somebody to read, fail
/// or repeat.
/// </summary>
internal static class Scenarios
{
    private static readonly string IntegrationEvent = MessageName.ExchangeOf(typeof(OrderCompleted));

    // What happens to every order.
    private static readonly Scenario Posted = new(lane => lane.Api);
    private static readonly Scenario Worked = new(lane => lane.Workers);

    // A relay looks now and then, whether or not somebody posts.
    private static readonly Scenario RelayLooks = Worked with { FiresLater = true };

    private static readonly Scenario WarehouseFails = Worked with
    {
        Before = Do(lane => lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Error))),
    };
    private static readonly Scenario MailIsRefused = Worked with
    {
        Before = Do(lane => lane.World.Behaviour.Smtp.Set(new(SmtpMode.TempFail))),
    };
    private static readonly Scenario AnswerToMailVanishes = Worked with
    {
        Before = Do(lane => lane.World.Behaviour.Smtp.Set(new(SmtpMode.Vanish))),
    };

    // The first name in a process's life that the usual font has no characters for.
    private static readonly Scenario ChineseName = Worked with
    {
        Hits = 1,
        Order = () => new PostedOrder { Name = "王小明" },
        Before = lane => lane.Workers.ReplaceAsync(),
    };

    private static readonly Scenario Rejected = Worked with { Order = () => new PostedOrder(IsRejected: true) };

    // Once as it is armed, and again for who has to come by a second time.
    private static readonly Scenario BrokerIsCutOff = Worked with
    {
        Before = Do(lane => lane.Network.Cut()),
        Begin = lane => lane.Network.Restore(),
        Then = async (lane, order) =>
        {
            await lane.UntilRightAsync(order);
            lane.Network.Cut();
            lane.Network.Restore();
            await lane.Workers.UntilReadyAsync();
        },
    };

    // A copy of a message whose run was committed: the next run on it is dropped.
    private static readonly Scenario Duplicate = Worked with
    {
        Then = async (lane, order) =>
        {
            await lane.UntilRightAsync(order);
            var message = await lane.TestSystem.Database.ScalarAsync<string>(
                "select message_id::text from effects where subject_id = $1 and effect = 'inventory'",
                order.Id
            );
            await lane.TestSystem.Broker.PublishToAsync(
                "inventory",
                new OrderAccepted(order.Id, false, DateTimeOffset.UtcNow),
                new ByHand { Id = Guid.Parse(message), CorrelationId = order.Id }
            );
        },
    };

    // The broker refuses a message, which is written because somebody subscribes to it: its exchange is gone, until the
    // failpoint has fired.
    private static readonly Scenario IntegrationEventIsRefused = Worked with
    {
        FiresLater = true,
        IsOncePerOrder = true,
        Before = async lane =>
        {
            await lane.TestSystem.Database.ExecuteAsync(
                "insert into subscriptions (exchange, queue) values ($1, 'crm')",
                IntegrationEvent
            );
            await OnBrokerAsync(lane, channel => channel.ExchangeDeleteAsync(IntegrationEvent));
        },
        After = async lane =>
        {
            await OnBrokerAsync(
                lane,
                channel => channel.ExchangeDeclareAsync(IntegrationEvent, ExchangeType.Fanout, durable: true)
            );
            await lane.TestSystem.Database.ExecuteAsync("delete from subscriptions where queue = 'crm'");
        },
    };

    // The warehouse refuses for good: the message is dead-lettered, and sent again by hand.
    private static readonly Scenario Refused = Worked with
    {
        BeforeEach = lane => lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Reject)),
        Next = async (lane, order) =>
        {
            // Its own: the order of an earlier case may have been refused too, on its way to being cancelled.
            await Eventually.Is(
                async () =>
                    (await lane.TestSystem.Broker.PeekAllAsync("warehouse_error")).Exists(m =>
                        Encoding.UTF8.GetString(m.Body.Span).Contains($"{order.Id}", StringComparison.Ordinal)
                    ),
                "the warehouse's step has dead-lettered the order's message"
            );
            lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
            await lane.TestSystem.Database.ExecuteAsync("delete from failures where subject_id = $1", order.Id);
            foreach (var deadLettered in await lane.TestSystem.Broker.TakeAllAsync("warehouse_error"))
                await lane.TestSystem.Broker.PublishBytesAsync(
                    "warehouse",
                    deadLettered.Body,
                    new ByHand { Id = Guid.Parse(deadLettered.BasicProperties.MessageId!) }
                );
        },
    };

    // Three steps are done, and the warehouse cannot be reached, when the customer thinks better of it: three are
    // undone, one is left out.
    private static readonly Scenario Cancelled = Worked with
    {
        Order = () => new PostedOrder { IsCancelled = true },
        BeforeEach = lane => lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Error)),
        Next = async (lane, order) =>
        {
            await Eventually.Is(
                async () =>
                    await lane.TestSystem.Database.CountAsync(
                        $"step_runs where subject_id = $1 and status = {StepStatus.Done:D}",
                        order.Id
                    ) == 3
                    && await RestsAsync(),
                "three steps are done, and the warehouse's message waits"
            );
            var dealtWith = await DealtWithAsync();
            await lane.Client.CancelAsync(order);
            // No attempt that knows nothing of it is under way when the warehouse is back: an order that is cancelled
            // while it is being sent ends well too, but otherwise.
            await Eventually.Is(
                async () => await DealtWithAsync() > dealtWith || await RestsAsync(),
                "the warehouse's message is left out, or waits"
            );
            lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));

            async Task<bool> RestsAsync() =>
                await lane.TestSystem.Database.CountAsync(
                    "outbox where exchange = 'warehouse' and correlation_id = $1 and due_at > now() + interval '200 milliseconds' and position('StockReserved'::bytea in body) > 0",
                    order.Id.ToString()
                ) > 0;

            Task<long> DealtWithAsync() => lane.TestSystem.Database.CountAsync("idempotency where step = 'warehouse'");
        },
    };

    // A step may be told more than once that it has to undo: the message that comes last is dropped, alone in its
    // commit. Its first attempt had failed: the step still says that another one follows.
    private static readonly Scenario UndoneAndToldAgain = Cancelled with
    {
        Then = async (lane, order) =>
        {
            await lane.UntilRightAsync(order);
            await lane.TestSystem.Database.ExecuteAsync(
                $"update step_runs set status = {StepStatus.Retrying:D} where subject_id = $1 and step = 'inventory'",
                order.Id
            );
            await lane.TestSystem.Broker.PublishToAsync(
                "inventory",
                new OrderCancelled(order.Id, DateTimeOffset.UtcNow),
                new ByHand { Id = Guid.NewGuid(), CorrelationId = order.Id }
            );
        },
    };

    private static readonly Scenario CancelledThere = Cancelled with { Host = lane => lane.Api };

    private static readonly Dictionary<string, Scenario> Special = new()
    {
        ["api.before_find_keys"] = Posted with { Then = (lane, order) => lane.Client.PostAsync(order) },
        ["api.before_recall"] = Posted with { Then = (lane, order) => lane.Client.AskForKeyAsync(order) },
        ["api.before_read_key"] = Posted with { Then = (lane, _) => lane.Client.KnockAsync() },
        ["api.before_list"] = Reading("/orders"),
        ["api.before_read_stock"] = Reading("/catalogue"),
        ["api.before_read_order"] = Reading("/orders/{id}"),
        ["api.before_read_invoice"] = Reading("/orders/{id}/invoice.pdf"),
        ["api.before_look_for_order"] = Reading("/orders/{id}/events"),
        ["api.before_read_states"] = Reading("/orders/{id}/events"),
        // Read by the clock, every five seconds.
        ["api.before_read_catalogue"] = Posted with
        {
            FiresLater = true,
        },
        ["api.before_read_backlog"] = Posted with { FiresLater = true },
        ["api.before_cancel"] = CancelledThere,
        ["api.before_lock_order"] = CancelledThere,
        ["api.before_mark_cancelled"] = CancelledThere,
        ["api.after_mark_cancelled"] = CancelledThere,
        ["api.before_commit_cancel"] = CancelledThere,
        ["api.after_commit_cancel"] = CancelledThere,
        ["steps.before_skip"] = Cancelled,
        ["steps.before_look_at_effect"] = Cancelled,
        ["steps.before_write_skip"] = Cancelled,
        ["steps.after_write_skip"] = Cancelled,
        ["steps.before_commit_skip"] = Cancelled,
        ["steps.after_commit_skip"] = Cancelled,
        ["steps.before_read_past"] = Cancelled,
        ["steps.before_read_cancelled"] = Refused,
        ["steps.before_keep_keys"] = UndoneAndToldAgain,
        ["steps.after_keep_keys"] = UndoneAndToldAgain,
        ["steps.before_clear_up"] = UndoneAndToldAgain,
        ["steps.after_clear_up"] = UndoneAndToldAgain,
        ["inventory.before_keep_shortages"] = Rejected,
        ["inventory.after_keep_shortages"] = Rejected,
        ["inventory.before_release"] = Cancelled,
        ["inventory.after_release"] = Cancelled,
        ["invoice.before_number_credit_note"] = Cancelled,
        ["invoice.after_number_credit_note"] = Cancelled,
        ["invoice.before_store_credit_note"] = Cancelled,
        ["invoice.after_store_credit_note"] = Cancelled,
        ["steps.before_rollback"] = Duplicate,
        ["steps.before_read_unsettled"] = Duplicate,
        ["steps.before_ask_again"] = Refused,
        ["steps.before_take_key"] = Refused,
        ["steps.before_give_key_back"] = Refused,
        ["steps.before_read_keys"] = Refused,
        ["steps.after_give_key_back"] = Refused,
        ["steps.before_settle_claim"] = MailIsRefused,
        ["steps.after_settle_claim"] = MailIsRefused,
        ["steps.before_record_failure"] = WarehouseFails,
        ["steps.before_commit_failure"] = WarehouseFails,
        ["steps.after_commit_failure"] = WarehouseFails,
        ["outbox.before_open"] = WarehouseFails,
        ["outbox.before_insert"] = WarehouseFails,
        ["outbox.after_insert"] = WarehouseFails,
        ["relay.before_take"] = WarehouseFails,
        ["relay.after_poll_confirm"] = WarehouseFails,
        ["relay.before_poll_commit"] = WarehouseFails,
        ["relay.after_poll_commit"] = WarehouseFails,
        ["relay.before_open"] = RelayLooks,
        ["relay.before_next_due"] = RelayLooks,
        ["relay.before_connect"] = BrokerIsCutOff,
        ["relay.before_channel"] = BrokerIsCutOff,
        ["relay.before_defer"] = IntegrationEventIsRefused,
        ["relay.after_defer"] = IntegrationEventIsRefused,
        ["relay.before_put_back"] = IntegrationEventIsRefused,
        // Connections are kept: only one that has broken is followed by another.
        ["email.before_connect"] = AnswerToMailVanishes,
        ["email.before_receipt"] = AnswerToMailVanishes,
        ["invoice.before_read_font"] = ChineseName,
    };

    private static readonly Dictionary<string, Scenario> Usual = new()
    {
        ["api"] = Posted,
        ["steps"] = Worked,
        ["outbox"] = Worked,
        ["relay"] = Worked,
        ["email"] = Worked,
        ["inventory"] = Worked,
        ["invoice"] = Worked,
        ["warehouse"] = Worked,
    };

    // Areas that no order comes by, and what is tested instead.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["redrive"] = nameof(RedriveMatrixTests),
        ["deadletter"] = nameof(RedriveMatrixTests),
        // No order of the matrix has a web hook. What it writes is part of the commits that the matrix breaks.
        ["webhook"] = "WebhookStepTests, OrderEventsTests",
    };

    /// <summary>The scenario of a failpoint; null when nobody has said how a process comes by there.</summary>
    public static Scenario? Of(string failpoint) =>
        Special.GetValueOrDefault(failpoint) ?? Usual.GetValueOrDefault(failpoint.Split('.')[0]);

    /// <summary>Failpoints without a scenario.</summary>
    public static IEnumerable<string> Missing =>
        Failpoints.Names.Where(name => Of(name) is null && !Elsewhere.ContainsKey(name.Split('.')[0]));

    /// <summary>Failpoints that have a scenario of their own and do not exist.</summary>
    public static IEnumerable<string> Forgotten => Special.Keys.Except(Failpoints.Names);

    private static Scenario Reading(string path) =>
        Posted with
        {
            Then = (lane, order) =>
                lane.Client.ReadAsync(path.Replace("{id}", order.Id.ToString(), StringComparison.Ordinal)),
        };

    private static Func<Lane, Task> Do(Action<Lane> action) =>
        lane =>
        {
            action(lane);
            return Task.CompletedTask;
        };

    private static async Task OnBrokerAsync(Lane lane, Func<IChannel, Task> action)
    {
        await using var connection = await BrokerConnection
            .CreateFactory(lane.TestSystem.Broker.Options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await action(channel);
    }
}
