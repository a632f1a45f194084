using Orders.Contracts;
using Orders.CrashPoints.Tests.Lanes;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Outbox;
using Orders.OutsideWorld.Faults;
using Orders.Testing.Servers;
using RabbitMQ.Client;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>Which scenario leads to which failpoint: most lie on the way of every order, the others need somebody to read, fail or repeat.</summary>
internal static class Scenarios
{
    private static readonly string Announcement = MessageName.ExchangeOf(typeof(OrderCompleted));

    // What happens to every order.
    private static readonly Scenario Posted = new(lane => lane.Api);
    private static readonly Scenario Worked = new(lane => lane.Workers);

    private static readonly Scenario WarehouseFails = Worked with { Before = Do(lane => lane.World.Behaviour.Warehouse.Set(new(WarehouseMode.Error))) };
    private static readonly Scenario MailIsRefused = Worked with { Before = Do(lane => lane.World.Behaviour.Smtp.Set(new(SmtpMode.TempFail))) };
    private static readonly Scenario AnswerToMailVanishes = Worked with { Before = Do(lane => lane.World.Behaviour.Smtp.Set(new(SmtpMode.Vanish))) };

    // The first name in a process's life that the usual font has no characters for.
    private static readonly Scenario ChineseName = Worked with { Hits = 1, Order = () => new PostedOrder { Name = "王小明" }, Before = lane => lane.Workers.ReplaceAsync() };

    // Once as it is armed, and again for who has to come by a second time.
    private static readonly Scenario BrokerIsCutOff = Worked with
    {
        Before = Do(lane => lane.Network.Cut()),
        Begin = lane => lane.Network.Mend(),
        Then = async (lane, order) =>
        {
            await lane.UntilRightAsync(order);
            lane.Network.Cut();
            lane.Network.Mend();
            await lane.Workers.UntilReadyAsync();
        },
    };

    // A copy of a message whose run was committed: the next run on it is dropped.
    private static readonly Scenario Duplicate = Worked with
    {
        Then = async (lane, order) =>
        {
            await lane.UntilRightAsync(order);
            var message = await lane.System.Database.ScalarAsync<string>("select message_id::text from effects where subject_id = $1 and effect = 'inventory'", order.Id);
            await lane.System.Broker.PublishToAsync("inventory", new OrderAccepted(order.Id, false, DateTimeOffset.UtcNow), new ByHand { Id = Guid.Parse(message), CorrelationId = order.Id });
        },
    };

    // The broker refuses a message, which is written because somebody subscribes to it: its exchange is gone, until the failpoint has fired.
    private static readonly Scenario AnnouncementIsRefused = Worked with
    {
        FiresLater = true,
        IsOncePerOrder = true,
        Before = async lane =>
        {
            await lane.System.Database.ExecuteAsync("insert into subscriptions (exchange, queue) values ($1, 'crm')", Announcement);
            await OnBrokerAsync(lane, channel => channel.ExchangeDeleteAsync(Announcement));
        },
        After = async lane =>
        {
            await OnBrokerAsync(lane, channel => channel.ExchangeDeclareAsync(Announcement, ExchangeType.Fanout, durable: true));
            await lane.System.Database.ExecuteAsync("delete from subscriptions where queue = 'crm'");
        },
    };

    private static readonly Dictionary<string, Scenario> Special = new()
    {
        ["api.before_find_keys"] = Posted with { Then = (lane, order) => lane.Client.PostAsync(order) },
        ["api.before_read_key"] = Posted with { Then = (lane, _) => lane.Client.KnockAsync() },
        ["api.before_list"] = Reading("/orders"),
        ["api.before_read_stock"] = Reading("/catalogue"),
        ["api.before_read_order"] = Reading("/orders/{id}"),
        ["api.before_read_invoice"] = Reading("/orders/{id}/invoice.pdf"),
        ["api.before_look_for_order"] = Reading("/orders/{id}/events"),
        ["api.before_read_states"] = Reading("/orders/{id}/events"),
        // Read by the clock, every five seconds.
        ["api.before_read_catalogue"] = Posted with { FiresLater = true },
        ["api.before_read_backlog"] = Posted with { FiresLater = true },
        ["steps.before_rollback"] = Duplicate,
        ["steps.before_settle_claim"] = MailIsRefused,
        ["steps.after_settle_claim"] = MailIsRefused,
        ["steps.before_record_failure"] = WarehouseFails,
        ["steps.before_commit_failure"] = WarehouseFails,
        ["steps.after_commit_failure"] = WarehouseFails,
        ["outbox.before_open"] = WarehouseFails,
        ["outbox.before_insert"] = WarehouseFails,
        ["outbox.after_insert"] = WarehouseFails,
        ["relay.before_take"] = WarehouseFails,
        ["relay.after_sweep_confirm"] = WarehouseFails,
        ["relay.before_sweep_commit"] = WarehouseFails,
        ["relay.after_sweep_commit"] = WarehouseFails,
        ["relay.before_connect"] = BrokerIsCutOff,
        ["relay.before_channel"] = BrokerIsCutOff,
        ["relay.before_postpone"] = AnnouncementIsRefused,
        ["relay.after_postpone"] = AnnouncementIsRefused,
        ["relay.before_put_back"] = AnnouncementIsRefused,
        // Connections are kept: only one that has broken is followed by another.
        ["email.before_connect"] = AnswerToMailVanishes,
        ["email.before_receipt"] = AnswerToMailVanishes,
        ["invoice.before_read_font"] = ChineseName,
    };

    private static readonly Dictionary<string, Scenario> Usual = new()
    {
        ["api"] = Posted, ["steps"] = Worked, ["outbox"] = Worked, ["relay"] = Worked, ["email"] = Worked, ["inventory"] = Worked, ["invoice"] = Worked, ["warehouse"] = Worked,
    };

    // Areas that no order comes by, and what is tested instead.
    private static readonly Dictionary<string, string> Elsewhere = [];

    /// <summary>The scenario of a failpoint; null when nobody has said how a process comes by there.</summary>
    public static Scenario? Of(string failpoint) => Special.GetValueOrDefault(failpoint) ?? Usual.GetValueOrDefault(failpoint.Split('.')[0]);

    /// <summary>Failpoints without a scenario.</summary>
    public static IEnumerable<string> Missing => Failpoints.Names.Where(name => Of(name) is null && !Elsewhere.ContainsKey(name.Split('.')[0]));

    /// <summary>Failpoints that have a scenario of their own and do not exist.</summary>
    public static IEnumerable<string> Forgotten => Special.Keys.Except(Failpoints.Names);

    private static Scenario Reading(string path) =>
        Posted with { Then = (lane, order) => lane.Client.ReadAsync(path.Replace("{id}", order.Id.ToString(), StringComparison.Ordinal)) };

    private static Func<Lane, Task> Do(Action<Lane> action) => lane =>
    {
        action(lane);
        return Task.CompletedTask;
    };

    private static async Task OnBrokerAsync(Lane lane, Func<IChannel, Task> action)
    {
        await using var connection = await BrokerConnection.CreateFactory(lane.System.Broker.Options).CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await action(channel);
    }
}
