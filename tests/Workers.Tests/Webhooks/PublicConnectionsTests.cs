using System.Net;
using Orders.Infrastructure.Webhooks;
using Orders.Workers.Webhooks;

namespace Orders.Workers.Tests.Webhooks;

/// <summary>Names are checked by what they resolve to at the moment of the connection.</summary>
public sealed class PublicConnectionsTests
{
    [Test]
    public async Task A_name_that_changes_its_address_is_refused_with_the_new_one()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.Headers.Connection = "close";
            return Receiver.NoContent(context);
        };
        var answers = new Queue<IPAddress>([IPAddress.Parse("127.0.0.1"), IPAddress.Parse("127.0.0.2")]);
        using var http = Client(new AddressPolicy(IPNetwork.Parse("127.0.0.1/32")), _ => [answers.Dequeue()]);
        var url = new Uri($"http://client.example:{receiver.Url.Port}/");
        using var first = await http.GetAsync(url);

        var refused = Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(url))!;
        Assert.That(refused.InnerException, Is.TypeOf<RefusedAddressException>());
        Assert.That(receiver.Received, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Of_several_addresses_only_the_allowed_ones_are_called()
    {
        await using var receiver = await Receiver.StartAsync();
        using var http = Client(
            new AddressPolicy(IPNetwork.Parse("127.0.0.1/32")),
            _ => [IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.1")]
        );
        using var answer = await http.GetAsync(new Uri($"http://client.example:{receiver.Url.Port}/"));
        Assert.That(receiver.Received, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_refusal_does_not_tell_the_client_what_the_name_resolves_to()
    {
        using var http = Client(new AddressPolicy(), _ => [IPAddress.Parse("10.1.2.3")]);
        var refused = Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(new Uri("http://client.example/")))!;
        Assert.That(refused.InnerException!.Message, Does.Contain("client.example").And.Not.Contain("10.1.2.3"));
    }

    [TestCase("8.8.8.8", true)]
    [TestCase("172.32.0.1", true)]
    [TestCase("2a00:1450:4001::1", true)]
    [TestCase("::ffff:8.8.8.8", true)]
    [TestCase("0.0.0.0", false)]
    [TestCase("10.0.0.1", false)]
    [TestCase("100.64.0.1", false)]
    [TestCase("127.0.0.1", false)]
    [TestCase("168.63.129.16", false)]
    [TestCase("169.254.169.254", false)]
    [TestCase("172.31.255.255", false)]
    [TestCase("192.168.1.1", false)]
    [TestCase("198.18.0.1", false)]
    [TestCase("224.0.0.1", false)]
    [TestCase("255.255.255.255", false)]
    [TestCase("::", false)]
    [TestCase("::1", false)]
    [TestCase("::ffff:10.0.0.1", false)]
    [TestCase("64:ff9b::a00:1", false)]
    [TestCase("2001::1", false)]
    [TestCase("2001:db8::1", false)]
    [TestCase("2002:a00:1::", false)]
    [TestCase("fc00::1", false)]
    [TestCase("fd00:ec2::254", false)]
    [TestCase("fe80::1", false)]
    [TestCase("ff02::1", false)]
    public void Only_public_addresses_are_allowed(string address, bool isAllowed) =>
        Assert.That(new AddressPolicy().IsAllowed(IPAddress.Parse(address)), Is.EqualTo(isAllowed));

    [Test]
    public void A_network_that_is_named_is_allowed()
    {
        var policy = WebhookOptions
            .Read(Settings.Of(("Webhooks:AllowedNetworks", "10.20.0.0/16, fd00:1::/64")))
            .Addresses;
        Assert.That(policy.IsAllowed(IPAddress.Parse("10.20.3.4")));
        Assert.That(policy.IsAllowed(IPAddress.Parse("fd00:1::5")));
        Assert.That(policy.IsAllowed(IPAddress.Parse("10.21.0.1")), Is.False);
    }

    private static HttpClient Client(AddressPolicy policy, Func<string, IPAddress[]> resolve)
    {
        var handler = new SocketsHttpHandler();
        WebhookRegistration.Configure(
            handler,
            new PublicConnections(policy, (host, _) => Task.FromResult(resolve(host)))
        );
        return new HttpClient(handler);
    }
}
