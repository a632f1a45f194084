using System.Net;
using System.Net.Sockets;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// Several nodes, of which one is not there. What a real cluster does when nodes die is shown by <c>./dev chaos
/// --cluster --scenario node-kills</c>.
/// </summary>
public sealed class ClusterTests : SystemFixture
{
    [Test]
    public void Hosts_are_separated_by_commas() =>
        Assert.That(new RabbitMqOptions { Host = "one, two,three" }.Hosts, Is.EqualTo(["one", "two", "three"]));

    [Test]
    public async Task Relay_and_steps_find_the_node_that_is_there()
    {
        // Two names of this machine, the same port on both, and a broker behind one of them only.
        await using var node = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        Assert.That(
            async () => await ConnectAsync("127.0.0.2", node.Port),
            Throws.InstanceOf<SocketException>(),
            "nobody listens at the other address"
        );
        await using var host = await TestSystem.StartAsync(
            "hurried",
            null,
            ("RabbitMq:Host", "127.0.0.2,127.0.0.1"),
            ("RabbitMq:Port", $"{node.Port}")
        );

        var subject = Guid.NewGuid();
        var writer = (OutboxWriter)host.Services.GetService(typeof(OutboxWriter))!;
        await writer.InsertAsync(OutgoingMessage.Create(new Feed(subject), subject), CancellationToken.None);

        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
    }

    private static async Task ConnectAsync(string address, int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Parse(address), port);
    }
}
