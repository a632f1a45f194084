using MassTransit;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>A message that is not begun in time is recorded as expired, and its order says so.</summary>
public sealed class ExpiryTests() : InAZoo("hurried,impatient")
{
    protected override StepCatalogue Catalogue => ZooCatalogue.Of().Add<ImpatientStep>();

    [Test]
    public async Task A_message_past_its_own_time_is_not_begun()
    {
        var order = await System.StoreAsync();
        await SendAsync("hurried", order, expiresAt: DateTimeOffset.UtcNow.AddSeconds(-1));

        await System.UntilAsync(order, "hurried", StepStatus.Expired);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(Script.RunsOf(order), Is.Zero, "runs");
        Assert.That(await System.AttemptsAsync(order, "hurried"), Is.Zero);
        Assert.That(await ParkedAsync("hurried", order), Is.Zero, "the broker has dropped nothing into the parked messages");
    }

    [Test]
    public async Task What_is_begun_in_time_is_not_cut_off_and_a_later_message_may_do_what_expired()
    {
        var order = await System.StoreAsync();
        await SendAsync("hurried", order, expiresAt: DateTimeOffset.UtcNow.AddSeconds(-1));
        await System.UntilAsync(order, "hurried", StepStatus.Expired);
        await SendAsync("hurried", order, expiresAt: DateTimeOffset.UtcNow.AddMinutes(1));

        await System.UntilAsync(order, "hurried", StepStatus.Done);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await System.Broker.CountAsync("hurried_skipped"), Is.Zero, "what expired was dealt with, it stands nowhere else");
    }

    // A replay makes the message anew, with the id that the first one had.
    [Test]
    public async Task What_expired_can_be_replayed_under_the_same_id_and_is_then_done_once()
    {
        var (order, id) = (await System.StoreAsync(), Guid.NewGuid());
        await SendAsync("hurried", order, DateTimeOffset.UtcNow.AddSeconds(-1), id);
        await System.UntilAsync(order, "hurried", StepStatus.Expired);

        await SendAsync("hurried", order, null, id);
        await System.UntilAsync(order, "hurried", StepStatus.Done);

        // A copy of the first one that comes after it, and the replay once more.
        await SendAsync("hurried", order, DateTimeOffset.UtcNow.AddSeconds(-1), id);
        await SendAsync("hurried", order, null, id);
        await System.UntilOutboxIsEmptyAsync();
        await Eventually.That(() => System.Broker.CountAsync("hurried"), Is.Zero, "messages that wait");
        Assert.That(await System.StatusAsync(order, "hurried"), Is.EqualTo(StepStatus.Done));
        Assert.That(await System.EffectsAsync(order), Is.EqualTo(1), "effects");
        Assert.That(await System.Database.ScalarAsync<int>("select parked from order_progress where order_id = $1", order), Is.Zero, "steps that need attention");
    }

    [Test]
    public async Task A_step_may_limit_the_wait_of_all_its_messages_counted_from_when_they_are_due()
    {
        var (tooLate, inTime) = (Guid.NewGuid(), Guid.NewGuid());
        await System.Broker.PublishBytesAsync("impatient", Envelope.Write(new Feed(tooLate), Guid.NewGuid(), tooLate, Guid.NewGuid(), null, DateTimeOffset.UtcNow.AddMinutes(-1)), new());
        await System.Broker.PublishBytesAsync("impatient", Envelope.Write(new Feed(inTime), Guid.NewGuid(), inTime, Guid.NewGuid(), null, DateTimeOffset.UtcNow.AddSeconds(-1)), new());

        await System.UntilAsync(tooLate, "impatient", StepStatus.Expired);
        await System.UntilAsync(inTime, "impatient", StepStatus.Done);
        var due = DateTimeOffset.UtcNow.AddHours(1);
        var delayed = global::System.Text.Encoding.UTF8.GetString(OutgoingMessage.Create(new Feed(inTime), inTime, dueAt: due).Body);
        Assert.That(delayed, Does.Contain($"\"sentTime\":\"{due.UtcDateTime:yyyy-MM-ddTHH:mm:ss}"));
    }

    private Task SendAsync(string step, Guid subject, DateTimeOffset? expiresAt, Guid? id = null) =>
        new OutboxWriter(System.Database.Source, Host.Feed).InsertAsync(OutgoingMessage.Create(new Feed(subject), subject, expiresAt: expiresAt, queue: step, id: id), CancellationToken.None);
}

/// <summary>The broker has no say in it: a message whose time is over while nobody consumes stays in its queue.</summary>
public sealed class ExpiryInTheQueueTests : InASystem
{
    [Test]
    public async Task A_message_that_expires_while_nobody_consumes_is_recorded_all_the_same()
    {
        var order = await System.StoreAsync();
        await using var relay = await System.StartAsync("");
        var expiry = DateTimeOffset.UtcNow.AddMilliseconds(300);
        await new OutboxWriter(System.Database.Source, relay.Feed).InsertAsync(OutgoingMessage.Create(new Feed(order), order, expiresAt: expiry, queue: "hurried"), CancellationToken.None);
        await Eventually.That(() => System.Broker.CountAsync("hurried"), Is.EqualTo(1u), "messages that wait");
        await Eventually.Is(() => DateTimeOffset.UtcNow > expiry.AddMilliseconds(500), "its time is over");
        Assert.That(await System.Broker.CountAsync("hurried"), Is.EqualTo(1u), "the broker keeps it");

        await using var late = await System.StartAsync("hurried");
        await System.UntilAsync(order, "hurried", StepStatus.Expired);
    }
}

/// <summary>Wants to be begun within ten seconds.</summary>
public sealed class ImpatientStep : IConsumer<Feed>, IStep
{
    public static StepPolicy Policy => new("impatient") { StartWithin = TimeSpan.FromSeconds(10) };

    public Task Consume(ConsumeContext<Feed> context) => Task.CompletedTask;
}
