using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Orders.Feeding;
using Orders.Infrastructure.Orders.Intake;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>Premium orders come faster than a step can work. The broker's order is strict, and still no normal order starves.</summary>
public sealed class AgeingTests : InASystem
{
    private const int Normal = 20;

    // The last ones are for a machine so busy that the premium orders of the beginning are not done before.
    private static readonly TimeSpan[] Ages = [.. new[] { 1, 3, 6, 12, 24 }.Select(s => TimeSpan.FromSeconds(s))];

    internal static StepCatalogue OneSlowStep => new StepCatalogue().Add<SlowStep>().Announce<OrderCompleted>().Announce<OrderRejected>();

    protected override StepCatalogue Catalogue => OneSlowStep;

    [Test]
    public async Task Normal_orders_are_done_while_premium_ones_keep_coming()
    {
        await using var host = await System.StartAsync();
        var intake = host.Services.GetRequiredService<OrderIntake>();
        var required = await System.RequiredStepsAsync();
        await using var source = NpgsqlDataSource.Create(System.Database.ConnectionString);
        var ageing = new OrderAgeing(source, host.Services.GetRequiredService<OutboxWriter>(), TimeProvider.System) { Ages = [.. Ages] };
        await FloodAsync();
        var normal = await Task.WhenAll(Enumerable.Range(0, Normal).Select(async _ =>
        {
            var order = SampleOrders.New(required);
            await intake.AcceptAsync(order);
            return order.Id;
        }));

        var copies = 0;
        await Eventually.That(
            async () =>
            {
                await FloodAsync();
                copies += await ageing.LookAsync(CancellationToken.None);
                return await System.Database.CountAsync("effects where subject_id = any($1) and state = 2", normal);
            },
            Is.EqualTo((long)Normal), "normal orders that are done", TimeSpan.FromSeconds(60));

        Assert.That(copies, Is.InRange(Normal, Ages.Length * Normal), "copies that were sent; none would mean that nobody was overtaken, and this test proves nothing");
        Assert.That(await System.Broker.CountAsync("slow"), Is.Positive, "premium orders still wait");
        Assert.That(await System.Database.CountAsync("step_runs where subject_id = any($1) and attempts = 1 and status = 2", normal), Is.EqualTo(Normal), "each was done once");

        async Task FloodAsync()
        {
            while (await System.Broker.CountAsync("slow") < 200)
            {
                await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => intake.AcceptAsync(SampleOrders.New(required) with { Premium = true })));
                await System.UntilOutboxIsEmptyAsync();
            }
        }
    }

    [TestCase(false, false, null)]
    [TestCase(true, false, OrderPriority.Premium)]
    [TestCase(false, true, OrderPriority.Released)]
    [TestCase(true, true, OrderPriority.PremiumReleased)]
    public async Task An_accepted_order_carries_its_class(bool premium, bool released, short? priority)
    {
        await using var source = NpgsqlDataSource.Create(System.Database.ConnectionString);
        using var feed = new RelayFeed();
        await using var intake = new OrderIntake(source, feed);
        var order = SampleOrders.New(1) with { Premium = premium, ReleaseAt = released ? DateTimeOffset.UtcNow.AddDays(1) : null };
        await intake.AcceptAsync(order);

        Assert.That(await System.Database.ScalarAsync<int>("select coalesce(priority, -1) from outbox where correlation_id = $1", order.Id.ToString()), Is.EqualTo(priority ?? -1));
        await System.Database.ExecuteAsync("delete from outbox where correlation_id = $1", order.Id.ToString());
    }
}

/// <summary>Takes its time: five at once, fifty milliseconds each.</summary>
public sealed class SlowStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("slow");

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.Delay(TimeSpan.FromMilliseconds(50), context.CancellationToken);
}
