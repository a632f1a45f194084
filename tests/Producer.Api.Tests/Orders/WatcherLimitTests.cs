namespace Orders.Producer.Api.Tests.Orders;

internal sealed class WatcherLimitTests : ApiFixture
{
    protected override IEnumerable<(string Name, string Value)> Settings => [("Api:Events:MostWatchers", "5")];

    [Test]
    [CancelAfter(60_000)]
    public async Task More_streams_than_allowed_are_refused_until_one_closes(CancellationToken deadline)
    {
        var id = await OrderAsync();
        var streams = await Task.WhenAll(
            Enumerable
                .Range(0, 5)
                .Select(async _ => await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events")))
        );
        foreach (var stream in streams)
            await stream.UntilAsync(e => e.Name == "order", deadline);
        var refused = await GetAsync($"/orders/{id}/events");
        Assert.That(
            (refused.Status, refused.Code, refused.Headers["Retry-After"]),
            Is.EqualTo((503, "too-many-watchers", "5"))
        );

        foreach (var stream in streams)
            stream.Dispose();
        await Eventually.That(
            async () =>
            {
                using var response = await OpenAsync($"/orders/{id}/events");
                return (int)response.StatusCode;
            },
            Is.EqualTo(200),
            "opening a stream after others have closed"
        );
    }
}
