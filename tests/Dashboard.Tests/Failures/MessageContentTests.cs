using System.Text;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Recording;
using RabbitMQ.Client;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>Whatever strangers put into a queue, it can be indexed.</summary>
public sealed class MessageContentTests
{
    [TestCase("")]
    [TestCase("{ this is no message")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("""{"messageId":7,"messageType":"x","headers":[],"message":"text"}""")]
    [TestCase("""{"messageId":"\ud800","messageType":["\ud800"],"message":{"a":"\ud800"}}""")]
    [TestCase(
        """{"messageType":["urn:message:Orders.Contracts:OrderAccepted"],"message":{"orderId":"nobody","text":"\u0000 \ud800"}}"""
    )]
    public void Nothing_is_too_strange(string body)
    {
        var properties = new BasicProperties
        {
            Headers = new Dictionary<string, object?>
            {
                ["odd"] = double.NaN,
                ["list"] = new List<object?> { 1 },
                ["time"] = new AmqpTimestamp(1),
                ["bytes"] = new byte[] { 0xff, 0x00 },
            },
        };
        var message = DeadLetter.Of("email_error", properties, Encoding.UTF8.GetBytes(body));
        Assert.That(
            (message.Kind, message.Step, message.Identity),
            Is.EqualTo(
                (
                    FailureKind.Error,
                    "email",
                    DeadLetter.Of("email_error", properties, Encoding.UTF8.GetBytes(body)).Identity
                )
            ),
            "the same bytes are the same message"
        );
        Assert.That(message.Fingerprint, Has.Length.EqualTo(16));
    }
}
