using Orders.Infrastructure;

namespace Orders.Producer.Api.Tests.Auth;

internal sealed class ApiKeyTests : ApiFixture
{
    // The promise, and room for a loaded machine: a key that is never looked up again stays what it was for ever.
    private static readonly TimeSpan WithinFiveSeconds = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Missing_malformed_unknown_expired_and_revoked_keys_get_the_same_answer()
    {
        var (expired, revoked) = (ApiKeys.NewKey(), ApiKeys.NewKey());
        await AddKeyAsync("alice", expired, "orders:read");
        await AddKeyAsync("alice", revoked, "orders:read");
        await Database.ExecuteAsync(
            "update api_keys set expires_at = now() - interval '1 second' where hash = $1",
            ApiKeys.HashOf(expired)
        );
        await Database.ExecuteAsync("update api_keys set revoked_at = now() where hash = $1", ApiKeys.HashOf(revoked));

        var answers = new List<Answer>();
        foreach (
            var key in new[] { null, "", "x", ApiKeys.NewKey(), expired, revoked, Alice[..^1], Alice + "x", Alice[3..] }
        )
            answers.Add(await GetAsync("/orders", key));
        answers.Add(await SendAsync(HttpMethod.Get, "/orders", null, null, ("Authorization", $"Basic {Alice}")));
        Assert.That(
            answers.Select(a => (a.Status, a.Headers["WWW-Authenticate"], WithoutTrace(a))).Distinct().Count(),
            Is.EqualTo(1),
            string.Join('\n', answers)
        );
        Assert.That((answers[0].Status, answers[0].Code), Is.EqualTo((401, "unauthorized")));

        static string WithoutTrace(Answer answer) =>
            answer.Text.Replace(answer.Body["traceId"]!.GetValue<string>(), "", StringComparison.Ordinal);
    }

    [Test]
    public async Task A_revoked_key_is_dead_within_five_seconds_also_when_it_is_in_use()
    {
        var key = ApiKeys.NewKey();
        await AddKeyAsync("alice", key, "orders:read");
        Assert.That((await GetAsync("/orders", key)).Status, Is.EqualTo(200));
        await Database.ExecuteAsync("update api_keys set revoked_at = now() where hash = $1", ApiKeys.HashOf(key));
        await Eventually.That(
            async () => (await GetAsync("/orders", key)).Status,
            Is.EqualTo(401),
            "the answer to a revoked key",
            WithinFiveSeconds
        );
    }

    // As a rotation does with the old key.
    [Test]
    public async Task A_key_that_gets_an_end_while_it_is_in_use_is_dead_within_five_seconds_of_it()
    {
        var key = ApiKeys.NewKey();
        await AddKeyAsync("alice", key, "orders:read");
        Assert.That((await GetAsync("/orders", key)).Status, Is.EqualTo(200));
        await Database.ExecuteAsync(
            "update api_keys set expires_at = now() + interval '1 second' where hash = $1",
            ApiKeys.HashOf(key)
        );
        await Eventually.That(
            async () => (await GetAsync("/orders", key)).Status,
            Is.EqualTo(401),
            "the answer to a key that has ended",
            WithinFiveSeconds
        );
    }

    [Test]
    public async Task A_key_is_known_within_five_seconds_after_a_first_try_that_came_too_early()
    {
        var key = ApiKeys.NewKey();
        Assert.That((await GetAsync("/orders", key)).Status, Is.EqualTo(401));
        await AddKeyAsync("alice", key, "orders:read");
        await Eventually.That(
            async () => (await GetAsync("/orders", key)).Status,
            Is.EqualTo(200),
            "the answer to a new key",
            WithinFiveSeconds
        );
    }

    [Test]
    public async Task A_key_may_do_what_its_scopes_say()
    {
        var read = await PostAsync(SampleOrder.Text, AliceReads);
        var write = await GetAsync("/orders", AliceWrites);
        Assert.Multiple(() =>
        {
            Assert.That((read.Status, read.Code), Is.EqualTo((403, "missing-scope")));
            Assert.That(read.Body["detail"]!.GetValue<string>(), Does.Contain("orders:write"));
            Assert.That((write.Status, write.Code), Is.EqualTo((403, "missing-scope")));
        });
        Assert.That((await GetAsync("/orders", AliceReads)).Status, Is.EqualTo(200));
        Assert.That((await PostAsync(SampleOrder.Text, AliceWrites)).Status, Is.EqualTo(202));
    }

    [TestCase("/health/live")]
    [TestCase("/health/ready")]
    [TestCase("/openapi/v1.json")]
    public async Task What_tells_nothing_of_orders_needs_no_key(string path) =>
        Assert.That((await GetAsync(path, null)).Status, Is.EqualTo(200));
}
