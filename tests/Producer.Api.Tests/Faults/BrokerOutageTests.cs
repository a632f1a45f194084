namespace Orders.Producer.Api.Tests.Faults;

internal sealed class BrokerOutageTests : ApiFixture
{
    // Nothing listens there.
    protected override IEnumerable<(string Name, string Value)> Settings =>
        [("Outbox:Relay", "true"), ("RabbitMq:Host", "127.0.0.1"), ("RabbitMq:Port", "1")];

    [Test]
    public async Task Orders_are_accepted_and_kept_and_the_api_stays_ready()
    {
        var id = await OrderAsync();
        Assert.That(
            await Database.CountAsync("outbox where correlation_id = $1 and dead_at is null", id.ToString()),
            Is.EqualTo(1),
            "the message that waits for the broker"
        );
        // Not before the first connection has been refused. Ready it is all the time.
        var health = await Eventually.That(
            async () =>
            {
                var answer = await GetAsync("/health/ready", null);
                Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
                return answer;
            },
            Has.Property("Text").Contains("Degraded"),
            "readiness"
        );
        // Attack: somebody without a key asks what is broken. The details are on the port of the metrics only.
        Assert.That(health.Text, Is.EqualTo("""{"status":"Degraded"}"""));
        await Eventually.That(
            Api.HealthAsync,
            Does.Contain("broker Degraded: The broker cannot be reached"),
            "the details"
        );
    }
}
