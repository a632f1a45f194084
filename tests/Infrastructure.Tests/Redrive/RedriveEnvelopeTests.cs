using System.Text;
using QueueWorkers.DeadLetters;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying.Publishing;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;

namespace Orders.Infrastructure.Tests.Redrive;

/// <summary>
/// Whatever a stranger has put into a message: its redrive makes a row that can be sent, or refuses this one message.
/// </summary>
public sealed class RedriveEnvelopeTests
{
    private static readonly string TooLong = new('ä', 128);

    [Test]
    public void What_does_not_fit_into_a_property_stays_in_the_envelope_only()
    {
        var row = RedriveEnvelope.Rewrite(
            Of($$"""{"message":{},"correlationId":"{{TooLong}}"}""", headers: $$"""{"{{TooLong}}":1,"short":2}"""),
            null,
            1
        );

        Assert.That(row.CorrelationId, Is.Null);
        Assert.That(Encoding.UTF8.GetString(row.Body), Does.Contain("correlationId"));
        Assert.That(row.Headers, Does.Contain("short").And.Not.Contain("\\u00E4").IgnoreCase);
        Assert.That(AmqpLimits.TooLong(row, RelayPublisher.HeadersOf(row.Headers)!.Keys), Is.Empty);
    }

    [Test]
    public void A_type_that_is_too_long_for_an_exchange_is_refused() =>
        Assert.That(
            () => RedriveEnvelope.Rewrite(Of("""{"message":{}}""", type: TooLong), null, 1),
            Throws.InstanceOf<InvalidPayloadException>().With.Message.Contains("256 bytes")
        );

    [TestCase("""{"message":{},"headers":{"a":1,"a":2}}""")]
    [TestCase("""{"message":{},"message":{}}""")]
    [TestCase("[]")]
    [TestCase("{")]
    public void An_envelope_that_cannot_be_rewritten_is_refused(string body) =>
        Assert.That(() => RedriveEnvelope.Rewrite(Of(body), null, 1), Throws.InstanceOf<InvalidPayloadException>());

    private static Failure Of(string body, string headers = "{}", string? type = "Feed") =>
        new()
        {
            MessageId = Guid.NewGuid(),
            MessageType = type,
            Body = Encoding.UTF8.GetBytes(body),
            Headers = headers,
        };
}
