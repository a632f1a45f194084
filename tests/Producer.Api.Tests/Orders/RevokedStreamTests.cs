using Orders.Infrastructure;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>A stream of events does not outlive the key that opened it.</summary>
internal sealed class RevokedStreamTests : ApiFixture
{
    [TestCase("revoked_at = now()", TestName = "A_stream_does_not_outlive_its_key_that_was_revoked")]
    [TestCase("expires_at = now()", TestName = "A_stream_does_not_outlive_its_key_that_has_expired")]
    [TestCase("scopes = '{orders:write}'", TestName = "A_stream_does_not_outlive_the_scope_of_its_key")]
    [CancelAfter(120_000)]
    public async Task A_stream_ends_with_its_key(string change, CancellationToken deadline)
    {
        var key = ApiKeys.NewKey();
        await AddKeyAsync("alice", key, "orders:read");
        var id = await OrderAsync();
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events", key));
        await stream.UntilAsync(e => e.Name == "order", deadline);

        await Database.ExecuteAsync($"update api_keys set {change} where hash = $1", ApiKeys.HashOf(key));
        Assert.That(await stream.UntilAsync(_ => false, deadline), Is.Empty, "events before it ends");
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task What_happens_after_a_key_was_revoked_is_not_told_to_its_stream(CancellationToken deadline)
    {
        var key = ApiKeys.NewKey();
        await AddKeyAsync("alice", key, "orders:read");
        var id = await OrderAsync();
        using var stream = await EventStream.OpenAsync(await OpenAsync($"/orders/{id}/events", key));
        await stream.UntilAsync(e => e.Name == "order", deadline);

        await Database.ExecuteAsync("update api_keys set revoked_at = now() where hash = $1", ApiKeys.HashOf(key));
        await Eventually.That(
            async () => (await GetAsync("/orders", key)).Status,
            Is.EqualTo(401),
            "the answer to a revoked key"
        );
        await Database.ExecuteAsync("update order_progress set done = 1 where order_id = $1", id);
        Assert.That(await stream.UntilAsync(_ => false, deadline), Is.Empty, "events before it ends");
    }
}
