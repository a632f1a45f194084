using System.Net.Sockets;
using QueueWorkers.Messaging;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>Which failed connections are a broker that hangs, and which one that is not there.</summary>
public sealed class BrokerFaultTests
{
    private static readonly SilentBrokerException Silent = new("said nothing");
    private static readonly ConnectFailureException Refused = new(
        "Connection failed",
        new SocketException((int)SocketError.ConnectionRefused)
    );

    [Test]
    public void A_host_that_is_switched_off_is_not_there([Values] bool ownTimeout)
    {
        var off = new ConnectFailureException(
            "Connection failed",
            ownTimeout ? new TimeoutException() : new SocketException((int)SocketError.TimedOut)
        );
        Assert.That(BrokerFault.IsSilent(new BrokerUnreachableException(new AggregateException(off))), Is.False);
    }

    [Test]
    public void Of_several_hosts_all_have_to_be_silent()
    {
        Assert.Multiple(() =>
        {
            Assert.That(BrokerFault.IsSilent(new AggregateException(Silent, Silent)), Is.True, "all");
            Assert.That(BrokerFault.IsSilent(new AggregateException(Silent, Refused)), Is.False, "one is not there");
        });
    }

    [Test]
    public void An_open_connection_on_which_nothing_comes_is_silent()
    {
        Assert.Multiple(() =>
        {
            Assert.That(BrokerFault.IsSilent(new BrokerUnreachableException(Silent)), Is.True, "no greeting");
            Assert.That(BrokerFault.IsSilent(new TimeoutException()), Is.True, "no answer");
            Assert.That(
                BrokerFault.IsSilent(new IOException("read", new SocketException((int)SocketError.TimedOut))),
                Is.True,
                "the kernel gives up"
            );
        });
    }
}
