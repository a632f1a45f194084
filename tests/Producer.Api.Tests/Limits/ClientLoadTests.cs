using System.Globalization;

namespace Orders.Producer.Api.Tests.Limits;

/// <summary>One client that wants everything at once: requests, bytes, streams.</summary>
internal sealed class ClientLoadTests : ApiFixture
{
    private const int Requests = 6;
    private const int Streams = 3;
    private const int Batch = 4 * 1024 * 1024;

    protected override IEnumerable<(string Name, string Value)> Settings =>
        [
            ("Api:Client:Requests", $"{Requests}"),
            ("Api:Client:Bytes", $"{2 * Batch}"),
            ("Api:Client:Streams", $"{Streams}"),
        ];

    [Test]
    public async Task Twelve_batches_of_4_MiB_at_once_are_not_held_in_memory()
    {
        await RefusedWhileHeldAsync(2, "/orders/batch", Batch, PostBatchAsync);
        await Eventually.That(async () => (await PostBatchAsync(Alice)).Status, Is.EqualTo(200), "when they have gone");
    }

    [Test]
    public async Task A_batch_without_a_length_counts_as_the_largest()
    {
        await RefusedWhileHeldAsync(2, "/orders/batch", null, PostBatchAsync);
        await Eventually.That(async () => (await PostBatchAsync(Alice)).Status, Is.EqualTo(200), "when they have gone");
    }

    [Test]
    public async Task One_client_cannot_take_all_requests()
    {
        await RefusedWhileHeldAsync(Requests, "/orders", 100, key => GetAsync("/orders", key));
        await Eventually.That(async () => (await GetAsync("/orders")).Status, Is.EqualTo(200), "when they have gone");
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task One_client_cannot_hold_sixty_streams(CancellationToken deadline)
    {
        var path = $"/orders/{await OrderAsync()}/events";
        var streams = new List<HttpResponseMessage>();
        for (var i = 0; i < Streams; i++)
            streams.Add(await OpenAsync(path));
        Assert.That(streams.Select(s => (int)s.StatusCode), Is.All.EqualTo(200));
        var refused = await GetAsync(path);
        Assert.That(
            (refused.Status, refused.Code, refused.Headers["Retry-After"]),
            Is.EqualTo((429, "too-much-at-once", "5"))
        );
        using (var other = await OpenAsync($"/orders/{await OrderAsync(Bob)}/events", Bob))
            Assert.That((int)other.StatusCode, Is.EqualTo(200), "another client");
        Assert.That((await GetAsync("/orders")).Status, Is.EqualTo(200), "streams are no requests");

        streams.ForEach(s => s.Dispose());
        await Eventually.That(
            async () =>
            {
                using var again = await OpenAsync(path);
                return (int)again.StatusCode;
            },
            Is.EqualTo(200),
            "a stream after others have closed"
        );
    }

    private Task<Answer> PostBatchAsync(string key) =>
        SendAsync(HttpMethod.Post, "/orders/batch", key, Json($"{{\"orders\":[{SampleOrder.Text}]}}"));

    // Announced and not sent: each waits for its body, until it is cut off after some seconds. On a slow machine that
    // may be before the question, so both are repeated.
    private async Task RefusedWhileHeldAsync(int held, string path, int? length, Func<string, Task<Answer>> ask)
    {
        Answer? refused = null;
        var other = 0;
        await Eventually.That(
            async () =>
            {
                var connections = new List<RawConnection>();
                for (var i = 0; i < held; i++)
                    connections.Add(await AnnounceAsync(path, length));
                for (var i = 0; i < 20 && refused?.Status != 429; i++)
                    (refused, other) = (await ask(Alice), (await ask(Bob)).Status);
                connections.ForEach(c => c.Dispose());
                return refused!.Status;
            },
            Is.EqualTo(429),
            "the answer to one more",
            TimeSpan.FromSeconds(60)
        );
        Assert.That((refused!.Code, other), Is.EqualTo(("too-much-at-once", 200)), "the client, and another one");
        Assert.That(int.Parse(refused.Headers["Retry-After"], CultureInfo.InvariantCulture), Is.AtLeast(1));
    }

    private async Task<RawConnection> AnnounceAsync(string path, int? length)
    {
        var connection = await RawConnection.OpenAsync(Api.Address);
        var size = length is { } known
            ? string.Create(CultureInfo.InvariantCulture, $"Content-Length: {known}")
            : "Transfer-Encoding: chunked";
        await connection.WriteAsync(
            $"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Alice}\r\nContent-Type: application/json\r\n{size}\r\n\r\n"
        );
        return connection;
    }
}
