using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Orders.OutsideWorld.Tests.Warehouse;

/// <summary>
/// The signatures are made here by the letter of the Standard Webhooks specification, not with the code that checks
/// them.
/// </summary>
public sealed class SignatureTests : OutsideWorldFixture
{
    private const string Body = """{"orderId":"order-1"}""";
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(number => (byte)number)];

    protected override void Configure(OutsideWorldOptions options) =>
        options.WarehouseSecret = "whsec_" + Convert.ToBase64String(Key);

    private static string Sign(string id, long timestamp, string body, byte[] key) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));

    private async Task<HttpStatusCode> CallAsync(
        TimeSpan age = default,
        string? signature = null,
        string body = Body,
        string id = "msg_1"
    )
    {
        var timestamp = (DateTimeOffset.UtcNow - age).ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warehouse")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Idempotency-Key", "key-1");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", signature ?? Sign("msg_1", timestamp, Body, Key));
        using var answer = await Http.SendAsync(request);
        return answer.StatusCode;
    }

    [Test]
    public async Task A_rightly_signed_call_is_accepted() =>
        Assert.That(await CallAsync(), Is.EqualTo(HttpStatusCode.OK));

    [Test]
    public async Task One_right_signature_among_several_is_enough()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var two =
            $"v1a,AAAA v1,{Convert.ToBase64String(new byte[32])} "
            + string.Join(' ', Enumerable.Range(-1, 4).Select(drift => Sign("msg_1", now + drift, Body, Key)));

        Assert.That(await CallAsync(signature: two), Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase(6)]
    [TestCase(-6)]
    public async Task A_call_signed_too_long_ago_or_in_the_future_is_refused(int minutes) =>
        Assert.That(await CallAsync(age: TimeSpan.FromMinutes(minutes)), Is.EqualTo(HttpStatusCode.Unauthorized));

    [Test]
    public async Task A_call_signed_four_minutes_ago_is_accepted() =>
        Assert.That(await CallAsync(age: TimeSpan.FromMinutes(4)), Is.EqualTo(HttpStatusCode.OK));

    [Test]
    public async Task Another_key_body_or_id_and_a_malformed_signature_are_refused_and_entered()
    {
        var answers = new[]
        {
            await CallAsync(signature: Sign("msg_1", DateTimeOffset.UtcNow.ToUnixTimeSeconds(), Body, new byte[32])),
            await CallAsync(body: """{"orderId":"order-2"}"""),
            await CallAsync(id: "msg_2"),
            await CallAsync(signature: "v1,"),
            await CallAsync(signature: "v1,!!!"),
            await CallAsync(signature: "v2," + Convert.ToBase64String(new byte[32])),
        };

        Assert.That(answers, Is.All.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(World.Warehouse.Calls.Select(call => call.Answer), Is.EqualTo(Enumerable.Repeat(401, 6)));
    }

    [Test]
    public async Task A_call_without_any_signature_is_refused()
    {
        using var answer = await Http.PostAsync(
            "/warehouse",
            new StringContent(Body, Encoding.UTF8, "application/json")
        );

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
    }
}
