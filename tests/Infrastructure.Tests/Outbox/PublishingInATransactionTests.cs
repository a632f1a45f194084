using System.Diagnostics;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// Code outside steps publishes through MassTransit's scoped interfaces; the message stands or falls with the caller's
/// transaction.
/// </summary>
public sealed class PublishingInATransactionTests : SystemFixture
{
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task StartAPublisher()
    {
        // The poller finds these rows an hour later: what arrives went the fast path, however late on a busy machine.
        await TestSystem.Database.ExecuteAsync(
            $"""
            create function leave_to_the_fast_path() returns trigger language plpgsql as
                'begin new.due_at = now() + interval ''1 hour''; return new; end';
            create trigger slow_poller before insert on outbox for each row
                when (new.exchange in ('{MessageName.ExchangeOf(typeof(Born))}', '{MessageName.ExchangeOf(
                typeof(Fed)
            )}'))
                execute function leave_to_the_fast_path()
            """
        );
        _host = await TestSystem.StartAsync("");
    }

    // A row goes a moment after its message has arrived: the last one of the test before may still be there.
    [SetUp]
    public Task BeginWithAnEmptyOutbox() => TestSystem.UntilOutboxIsEmptyAsync();

    [Test]
    public async Task What_was_published_and_saved_arrives_at_once_and_its_row_is_deleted()
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        await UntilOneHasGoneTheFastPathAsync(
            listener,
            async () =>
            {
                var before = await TestSystem.Database.CountAsync("outbox");
                await using var scope = _host.Services.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new Born(Guid.NewGuid()));
                Assert.That(await TestSystem.Database.CountAsync("outbox"), Is.EqualTo(before), "rows before the save");

                await scope.ServiceProvider.GetRequiredService<OrdersDbContext>().SaveChangesAsync();
            }
        );
    }

    [Test]
    public async Task A_message_leaves_after_the_commit_and_not_before()
    {
        var listener = await TestSystem.Broker.ListenAsync<Fed>();
        var isFirst = true;
        await UntilOneHasGoneTheFastPathAsync(
            listener,
            async () =>
            {
                await using var scope = _host.Services.CreateAsyncScope();
                var database = scope.ServiceProvider.GetRequiredService<OrdersDbContext>();
                await using var transaction = await database.Database.BeginTransactionAsync();
                await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new Fed(Guid.NewGuid()));
                await database.SaveChangesAsync();
                await OvertakeAsync();
                if (isFirst)
                    Assert.That(await TestSystem.Broker.CountAsync(listener), Is.Zero, "messages before the commit");

                isFirst = false;
                await transaction.CommitAsync();
            }
        );
    }

    [Test]
    public async Task What_was_rolled_back_is_never_sent()
    {
        var listener = await TestSystem.Broker.ListenAsync<Grown>();
        await using (var scope = _host.Services.CreateAsyncScope())
        {
            var database = scope.ServiceProvider.GetRequiredService<OrdersDbContext>();
            await using var transaction = await database.Database.BeginTransactionAsync();
            await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new Grown(Guid.NewGuid()));
            await database.SaveChangesAsync();
            await transaction.RollbackAsync();
        }

        await OvertakeAsync();
        // A row that is gone was sent: whatever was written has arrived by now.
        await TestSystem.UntilOutboxIsEmptyAsync();
        Assert.That(await TestSystem.Broker.CountAsync(listener), Is.Zero);
    }

    [Test]
    public async Task A_message_sent_to_a_queue_goes_to_that_queue_only()
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var endpoint = await scope
            .ServiceProvider.GetRequiredService<ISendEndpointProvider>()
            .GetSendEndpoint(new Uri("exchange:patient"));
        await endpoint.Send(new Feed(Guid.NewGuid()));
        await scope.ServiceProvider.GetRequiredService<OrdersDbContext>().SaveChangesAsync();

        await UntilArrivedAsync("patient", 1);
        Assert.That(await TestSystem.Broker.CountAsync("hurried"), Is.Zero);
    }

    [Test]
    public async Task A_delayed_message_published_in_a_transaction_waits_for_its_time()
    {
        await using var scope = _host.Services.CreateAsyncScope();
        var endpoint = await scope
            .ServiceProvider.GetRequiredService<ISendEndpointProvider>()
            .GetSendEndpoint(new Uri("exchange:careful"));
        var watch = Stopwatch.StartNew();
        await endpoint.Send(new Feed(Guid.NewGuid()), send => send.Delay = TimeSpan.FromSeconds(2));
        await scope.ServiceProvider.GetRequiredService<OrdersDbContext>().SaveChangesAsync();

        await UntilArrivedAsync("careful", 1);
        Assert.That(watch.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(1.9)));
    }

    [Test]
    public async Task The_trace_of_the_publisher_rides_along()
    {
        using var traces = new TraceRecorder();
        var listener = await TestSystem.Broker.ListenAsync<Grown>();
        using var request = TraceRecorder.Source.StartActivity("request")!;
        await using var scope = _host.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new Grown(Guid.NewGuid()));
        await scope.ServiceProvider.GetRequiredService<OrdersDbContext>().SaveChangesAsync();

        await UntilArrivedAsync(listener, 1);
        var message = (await TestSystem.Broker.TakeAllAsync(listener)).Single();
        var header = (byte[])message.BasicProperties.Headers![OutgoingMessage.TraceHeader]!;
        Assert.That(System.Text.Encoding.UTF8.GetString(header), Does.StartWith($"00-{request.TraceId}-"));
    }

    // Nothing but the fast path sends these. What a busy machine has kept in memory for too long is left to the poller:
    // then another message shows it. The row of the one that has arrived is deleted.
    private async Task UntilOneHasGoneTheFastPathAsync(string listener, Func<Task> publish)
    {
        var (published, watch) = (1, Stopwatch.StartNew());
        await publish();
        await Eventually.That(
            async () =>
            {
                var arrived = await TestSystem.Broker.CountAsync(listener);
                if (arrived == 0 && watch.Elapsed > OutboxTable.Lease * published)
                {
                    published++;
                    await publish();
                }

                return arrived;
            },
            Is.Positive,
            "messages that went the fast path",
            TimeSpan.FromMinutes(1)
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.LessThan((long)published),
            "rows that are left"
        );
        await TestSystem.Database.ExecuteAsync("delete from outbox");
    }

    // A later message that has arrived shows that an earlier one had its chance.
    private async Task OvertakeAsync()
    {
        var listener = await TestSystem.Broker.ListenAsync<Overtaker>();
        var later = OutgoingMessage.Create(new Overtaker(Guid.NewGuid()), Guid.NewGuid());
        await _host.Services.GetRequiredService<OutboxWriter>().InsertAsync(later, CancellationToken.None);
        await UntilArrivedAsync(listener, 1);
    }
}

/// <summary>A message that nobody consumes.</summary>
public sealed record Overtaker(Guid Id);
