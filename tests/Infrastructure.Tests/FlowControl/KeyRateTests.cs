using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Orders.Contracts;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Intake;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// Limits per key: they hold for those of the key, over all replicas, in several windows at once; nobody else notices,
/// and no attempt is used up.
/// </summary>
public sealed class KeyRateTests : WithReplicas
{
    private static readonly RateLimit Short = RateLimit.PerSecond(5).Per(KeysAttribute.Customer);
    private static readonly RateLimit Long = new RateLimit(10, TimeSpan.FromSeconds(10)).Per(KeysAttribute.Customer);

    [Test]
    public async Task A_limit_of_a_customer_throttles_him_and_nobody_else_in_several_windows_at_once()
    {
        await StartAsync(2, "hurried", (_, _) => Task.CompletedTask, policy => policy with { Rates = [Short, Long] });
        var crowd = await DeliverAsync("hurried", 60, (KeysAttribute.Customer, "crowd@example.com"));
        var others = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(i => DeliverAsync("hurried", 1, (KeysAttribute.Customer, $"other-{i}@example.com")))
        );
        var without = await DeliverAsync("hurried", 20);

        await Eventually.That(
            () => RunsOf([.. others.SelectMany(o => o), .. without]).Length,
            Is.EqualTo(40),
            "runs of others, each with one message, and of messages without the key"
        );
        var last = RunsOf([.. others.SelectMany(o => o), .. without])[^1];
        Assert.That(
            RunsOf(crowd).Count(at => at < last),
            Is.LessThan(crowd.Length * 3 / 4),
            "runs of the crowd, which came first, before the last one of the others: they did not wait for them"
        );

        await Eventually.That(
            () => RunsOf(crowd).Length,
            Is.GreaterThanOrEqualTo(15),
            "runs of the crowd",
            TimeSpan.FromMinutes(1)
        );
        foreach (var limit in (RateLimit[])[Short, Long])
            await NeverBeforeItsPermitAsync(limit, RunsOf(crowd));

        await Controls.SetRatesAsync("hurried", "", Because("the test has seen enough"));
        await UntilDoneAsync("hurried", 100);
        Assert.That(Begun, Has.Count.EqualTo(100), "runs: none was begun twice");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by waiting"
        );
    }

    [Test]
    public async Task Every_message_of_an_order_carries_the_keys_of_its_customer()
    {
        // Nobody sends them: the rows stay where they can be looked at.
        await using var host = await TestSystem.StartAsync("", null, ("Outbox:Relay", "false"));
        var order = SampleOrders.New(1) with
        {
            CustomerEmail = "Zoe@Example.com",
            ReleaseAt = DateTimeOffset.UtcNow.AddDays(1),
        };
        await host.Services.GetRequiredService<OrderIntake>().AcceptAsync(order);
        await host.Services.GetRequiredService<OrderCancellation>().CancelAsync(order.Id, null, CancellationToken.None);

        var rows = await TestSystem.Database.RowsAsync(
            "select exchange, headers from outbox where correlation_id = $1 order by exchange",
            order.Id.ToString()
        );
        await TestSystem.Database.ExecuteAsync("delete from outbox");
        Assert.That(
            rows.Select(r => r[0]),
            Is.EqualTo([MessageName.ExchangeOf(typeof(OrderAccepted)), MessageName.ExchangeOf(typeof(OrderCancelled))])
        );
        Assert.That(
            rows.Select(r => (string)r[1]!),
            Is.All.Contains(MessageKeys.ValueOf(SampleOrders.Personal, "zoe@example.com"))
                .And.All.Contains(MessageKeys.ValueOf(SampleOrders.Personal, "example.com"))
        );
        Assert.That(rows.Select(r => (string)r[1]!), Is.All.Not.Contains("xample.com"), "a message names nobody");
    }

    [Test]
    public async Task What_a_step_publishes_carries_the_keys_that_its_contract_declares_whichever_way_it_is_published()
    {
        var listener = await TestSystem.Broker.ListenAsync(
            new[] { typeof(Born), typeof(Fed), typeof(Grown) }.Select(MessageName.ExchangeOf)
        );
        // At the second attempt only: a redelivered message has its keys too.
        await StartAsync(
            1,
            "mother",
            (_, _) => Begun.Count == 1 ? throw new InvalidOperationException("not yet") : Task.CompletedTask
        );
        await DeliverAsync(
            "mother",
            1,
            (KeysAttribute.Customer, "zoe@example.com"),
            (KeysAttribute.MailDomain, "example.com")
        );
        await UntilDoneAsync("mother", 1);
        await TestSystem.UntilOutboxIsEmptyAsync();

        // A copy that the relay has sent once more has the id of its original.
        var headers = (await TestSystem.Broker.TakeAllAsync(listener))
            .DistinctBy(m => m.BasicProperties.MessageId)
            .Select(m => m.BasicProperties.Headers!)
            .ToArray();
        Assert.That(headers, Has.Length.EqualTo(3), "messages: by the run, the context and an injected endpoint");
        foreach (var header in headers)
            Assert.That(
                Encoding.UTF8.GetString((byte[])header[MessageKeys.HeaderOf(KeysAttribute.Customer)]!),
                Is.EqualTo(MessageKeys.ValueOf(SampleOrders.Personal, "zoe@example.com"))
            );
    }

    private DateTimeOffset[] RunsOf(Guid[] subjects) =>
        [.. Begun.Where(b => subjects.Contains(b.Subject)).Select(b => b.At).Order()];
}
