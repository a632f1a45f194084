using MassTransit;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Messaging;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>
/// The policy by which endpoints connect again is in force. What it does to a worker that loses its broker is in
/// <c>NetworkTests</c> and <c>RefusedLoginTests</c>.
/// </summary>
public sealed class SteadyReconnectTests
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    [Test]
    public async Task The_bus_connects_its_endpoints_by_it()
    {
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddMassTransit(bus =>
            {
                bus.DisableUsageTelemetry();
                bus.SetBusFactory(new SteadyBusFactory((_, broker) => broker.ReceiveEndpoint("step", endpoint => { })));
            })
            .BuildServiceProvider();

        var host = services.GetRequiredService<IBusInstance>().HostConfiguration;
        Assert.That(host.ReceiveTransportRetryPolicy, Is.InstanceOf<SteadyReconnect>());
        Assert.That(host.SendTransportRetryPolicy, Is.InstanceOf<SteadyReconnect>());
    }

    [Test]
    public void It_waits_as_long_the_thousandth_time_as_the_first()
    {
        using var life = new SteadyReconnect().CreatePolicyContext(new Endpoint());
        Assert.That(life.CanRetry(new IOException(), out var retry), Is.True);
        for (var loss = 1; loss <= 1001; loss++)
        {
            Assert.That(retry.Delay, Is.InRange(Shortest, Longest), $"wait after loss {loss}");
            Assert.That(retry.CanRetry(new IOException(), out retry), Is.True, $"loss {loss}");
        }
    }

    [Test]
    public void A_refused_login_is_tried_again()
    {
        var refused = new BrokerUnreachableException(new AuthenticationFailureException("ACCESS_REFUSED"));
        using var life = new SteadyReconnect().CreatePolicyContext(new Endpoint());
        Assert.That(life.CanRetry(refused, out var retry), Is.True);
        Assert.That(retry.CanRetry(refused, out _), Is.True);
    }

    private sealed class Endpoint : MassTransit.Middleware.BasePipeContext;
}
