namespace Orders.Producer.Api.Tests.Orders;

internal sealed class EventTests : ApiFixture
{
    [Test]
    [CancelAfter(60_000)]
    public async Task A_stream_tells_the_present_then_each_change_and_closes_with_the_order(CancellationToken deadline)
    {
        var id = await OrderAsync();
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events"));
        var present = await stream.UntilAsync(e => e.Name == "order", deadline);
        Assert.That(
            present.Select(e => e.ToString()),
            Is.EqualTo(
                new[]
                {
                    "step email Waiting 0",
                    "step inventory Waiting 0",
                    "step invoice Waiting 0",
                    "step warehouse Waiting 0",
                    "order Accepted",
                }
            )
        );

        await Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts, started_at, finished_at) values ($1, 'email', 2, 1, now(), now())",
            id
        );
        Assert.That(
            (await stream.UntilAsync(e => e.Name == "step", deadline)).Single().ToString(),
            Is.EqualTo("step email Done 1")
        );
        await Database.ExecuteAsync("update order_progress set done = 1 where order_id = $1", id);
        Assert.That(
            (await stream.UntilAsync(e => e.Name == "order", deadline)).Single().ToString(),
            Is.EqualTo("order Processing")
        );

        await Database.ExecuteAsync("update order_progress set failed = 2 where order_id = $1", id);
        Assert.That(
            (await stream.UntilAsync(e => e.Name == "order", deadline)).Single().ToString(),
            Is.EqualTo("order NeedsAttention"),
            "which does not end the stream"
        );

        await Database.ExecuteAsync(
            "update order_progress set done = 15, failed = 0, completed_at = now() where order_id = $1",
            id
        );
        var end = await stream.UntilAsync(_ => false, deadline);
        Assert.That(
            end.Select(e => e.ToString()),
            Is.EqualTo(new[] { "order Completed" }),
            "and then the stream is closed"
        );
        Assert.That(end[^1].Data.AsObject().Select(m => m.Key), Is.EqualTo(new[] { "orderId", "status", "at" }));
        Assert.That(
            present[0].Data.AsObject().Select(m => m.Key),
            Is.EqualTo(new[] { "orderId", "status", "step", "stepStatus", "attempts", "at" })
        );
    }

    [TestCase("rejected_at", "Rejected")]
    [TestCase("cancelled_at", "Cancelled")]
    [CancelAfter(60_000)]
    public async Task The_stream_of_an_ended_order_closes_at_once(
        string column,
        string status,
        CancellationToken deadline
    )
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync($"update order_progress set {column} = now() where order_id = $1", id);
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events"));
        Assert.That((await stream.UntilAsync(_ => false, deadline))[^1].ToString(), Is.EqualTo($"order {status}"));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_quiet_stream_gives_a_sign_of_life_every_fifteen_seconds(CancellationToken deadline)
    {
        using var response = await OpenAsync($"/orders/{await OrderAsync()}/events");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(deadline));
        var since = System.Diagnostics.Stopwatch.StartNew();
        string? line;
        while ((line = await reader.ReadLineAsync(deadline)) is not null && !line.StartsWith(':')) { }

        Assert.That(line, Is.EqualTo(": still here"));
        Assert.That(since.Elapsed, Is.EqualTo(TimeSpan.FromSeconds(15)).Within(TimeSpan.FromSeconds(10)));
    }

    [Test]
    [CancelAfter(60_000)]
    public async Task A_stopping_host_closes_its_streams(CancellationToken deadline)
    {
        var id = await OrderAsync();
        await using var host = await ApiHost.StartAsync(Database.ConnectionString);
        using var http = new HttpClient();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
        using var stream = await EventStream.OpenAsync(
            await http.GetAsync(
                new Uri(host.Address, $"/orders/{id}/events"),
                HttpCompletionOption.ResponseHeadersRead,
                deadline
            )
        );
        await stream.UntilAsync(e => e.Name == "order", deadline);

        var since = System.Diagnostics.Stopwatch.StartNew();
        var stopping = host.DisposeAsync();
        Assert.That(await stream.UntilAsync(_ => false, deadline), Is.Empty);
        await stopping;
        // A stream that holds the host up does so for its whole stop, 20 s.
        Assert.That(since.Elapsed, Is.LessThan(TimeSpan.FromSeconds(15)));
    }
}
