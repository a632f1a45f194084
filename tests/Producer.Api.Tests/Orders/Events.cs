using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class Events : InAnApi
{
    protected override IEnumerable<(string Name, string Value)> Settings => [("Api:Events:MostWatchers", "5")];

    [Test]
    [CancelAfter(60_000)]
    public async Task A_stream_tells_the_present_then_each_change_and_closes_with_the_order(CancellationToken deadline)
    {
        var id = await OrderAsync();
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events"));
        var present = await stream.UntilAsync(e => e.Name == "order", deadline);
        Assert.That(present.Select(e => e.ToString()), Is.EqualTo(new[] { "step email Waiting 0", "step inventory Waiting 0", "step invoice Waiting 0", "step warehouse Waiting 0", "order Accepted" }));

        await Database.ExecuteAsync("insert into step_runs (subject_id, step, status, attempts, started_at, finished_at) values ($1, 'email', 2, 1, now(), now())", id);
        Assert.That((await stream.UntilAsync(e => e.Name == "step", deadline)).Single().ToString(), Is.EqualTo("step email Done 1"));
        await Database.ExecuteAsync("update order_progress set done = 1 where order_id = $1", id);
        Assert.That((await stream.UntilAsync(e => e.Name == "order", deadline)).Single().ToString(), Is.EqualTo("order Processing"));

        await Database.ExecuteAsync("update order_progress set parked = 2 where order_id = $1", id);
        Assert.That((await stream.UntilAsync(e => e.Name == "order", deadline)).Single().ToString(), Is.EqualTo("order NeedsAttention"), "which does not end the stream");

        await Database.ExecuteAsync("update order_progress set done = 15, parked = 0, completed_at = now() where order_id = $1", id);
        var end = await stream.UntilAsync(_ => false, deadline);
        Assert.That(end.Select(e => e.ToString()), Is.EqualTo(new[] { "order Completed" }), "and then the stream is closed");
        Assert.That(end[^1].Data.AsObject().Select(m => m.Key), Is.EqualTo(new[] { "orderId", "status", "at" }));
        Assert.That(present[0].Data.AsObject().Select(m => m.Key), Is.EqualTo(new[] { "orderId", "status", "step", "stepStatus", "attempts", "at" }));
    }

    [TestCase("rejected_at", "Rejected")]
    [TestCase("cancelled_at", "Cancelled")]
    [CancelAfter(60_000)]
    public async Task The_stream_of_an_ended_order_closes_at_once(string column, string status, CancellationToken deadline)
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync($"update order_progress set {column} = now() where order_id = $1", id);
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events"));
        Assert.That((await stream.UntilAsync(_ => false, deadline))[^1].ToString(), Is.EqualTo($"order {status}"));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task More_streams_than_allowed_are_refused_until_one_closes(CancellationToken deadline)
    {
        var id = await OrderAsync();
        var streams = await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ => await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events"))));
        foreach (var stream in streams)
            await stream.UntilAsync(e => e.Name == "order", deadline);
        var refused = await GetAsync($"/orders/{id}/events");
        Assert.That((refused.Status, refused.Code, refused.Headers["Retry-After"]), Is.EqualTo((503, "too-many-watchers", "5")));

        foreach (var stream in streams)
            stream.Dispose();
        await Eventually.That(
            async () =>
            {
                using var response = await OpenAsync($"/orders/{id}/events");
                return (int)response.StatusCode;
            },
            Is.EqualTo(200), "opening a stream after others have closed");
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_stopping_host_closes_its_streams(CancellationToken deadline)
    {
        var id = await OrderAsync();
        await using var host = await ApiHost.StartAsync(Database.ConnectionString);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
        using var stream = await EventStream.OpenAsync(await http.GetAsync(new Uri(host.Address, $"/orders/{id}/events"), HttpCompletionOption.ResponseHeadersRead, deadline));
        await stream.UntilAsync(e => e.Name == "order", deadline);

        var since = System.Diagnostics.Stopwatch.StartNew();
        var stopping = host.DisposeAsync();
        Assert.That(await stream.UntilAsync(_ => false, deadline), Is.Empty);
        await stopping;
        Assert.That(since.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
    }

    /// <summary>Server-sent events as they come.</summary>
    private sealed class EventStream(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public static async Task<EventStream> OpenAsync(HttpResponseMessage response)
        {
            Assert.That((response.StatusCode, response.Content.Headers.ContentType?.MediaType), Is.EqualTo((System.Net.HttpStatusCode.OK, "text/event-stream")));
            return new EventStream(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        }

        /// <summary>Reads on until an event satisfies the condition, or the stream closes.</summary>
        public async Task<List<Event>> UntilAsync(Func<Event, bool> condition, CancellationToken deadline)
        {
            var events = new List<Event>();
            var name = "";
            while (await reader.ReadLineAsync(deadline) is { } line)
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal))
                    name = line[7..];
                if (!line.StartsWith("data: ", StringComparison.Ordinal))
                    continue;
                events.Add(new Event(name, JsonNode.Parse(line[6..])!));
                if (condition(events[^1]))
                    break;
            }

            return events;
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }
    }

    private sealed record Event(string Name, JsonNode Data)
    {
        public override string ToString() => Name == "step" ? $"step {Data["step"]} {Data["stepStatus"]} {Data["attempts"]}" : $"{Name} {Data["status"]}";
    }
}
