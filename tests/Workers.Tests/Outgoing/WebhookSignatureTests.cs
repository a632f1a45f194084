using System.Text;
using Orders.Workers.Outgoing;

namespace Orders.Workers.Tests.Outgoing;

public sealed class WebhookSignatureTests
{
    // The examples that the authors of the specification publish with it and with its libraries.
    [TestCase(
        "plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        1731705121,
        """{"event_type":"ping","data":{"success":true}}""",
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="
    )]
    [TestCase(
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        """{"test": 2432232314}""",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )]
    public void The_published_examples_have_the_published_signatures(
        string secret,
        string id,
        long timestamp,
        string body,
        string signature
    ) =>
        Assert.That(
            WebhookSignature.Sign(Convert.FromBase64String(secret), id, timestamp, Encoding.UTF8.GetBytes(body)),
            Is.EqualTo(signature)
        );
}
