namespace Orders.Producer.Api.Tests.Limits;

internal sealed class ClientRateLimitTests : ApiFixture
{
    protected override IEnumerable<(string Name, string Value)> Settings =>
        [("Api:RateLimit:PerSecond", "1"), ("Api:RateLimit:Burst", "20")];

    [Test]
    public async Task A_burst_is_refused_with_a_time_to_wait_and_leaves_the_neighbour_alone()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => GetAsync("/orders")));
        var refused = answers.Where(a => a.Status == 429).ToArray();
        Assert.That(refused, Has.Length.InRange(10, 20), "of 40 requests, 20 at once and one a second allowed");
        Assert.That(
            refused.Select(a =>
                (a.Code, int.Parse(a.Headers["Retry-After"], System.Globalization.CultureInfo.InvariantCulture) >= 1)
            ),
            Is.All.EqualTo(("too-many-requests", true))
        );
        Assert.That((await GetAsync("/orders", Bob)).Status, Is.EqualTo(200));
        await Eventually.That(
            async () => (await GetAsync("/orders")).Status,
            Is.EqualTo(200),
            "the answer after a while"
        );
    }

    [Test]
    public async Task The_orders_of_a_batch_count_one_by_one()
    {
        await AddKeyAsync("dave", "ok_DaveDaveDaveDaveDaveDaveDaveDaveDaveDaveDav", "orders:write");
        var batch = $"{{\"orders\":[{string.Join(',', Enumerable.Repeat(SampleOrder.Text, 15))}]}}";
        var first = await SendAsync(
            HttpMethod.Post,
            "/orders/batch",
            "ok_DaveDaveDaveDaveDaveDaveDaveDaveDaveDaveDav",
            Json(batch)
        );
        var second = await SendAsync(
            HttpMethod.Post,
            "/orders/batch",
            "ok_DaveDaveDaveDaveDaveDaveDaveDaveDaveDaveDav",
            Json(batch)
        );
        Assert.That((first.Status, second.Status, second.Code), Is.EqualTo((200, 429, "too-many-requests")));
    }
}
