using System.Collections.Concurrent;
using Orders.Testing.Servers;

namespace Orders.Producer.Api.Tests.Faults;

/// <summary>
/// Somebody revokes the right to one table while 200 orders a second come in. A right that accepting does not need is
/// not missed; without one that it needs the answer is 503 with a time to come back, and never 500.
/// </summary>
internal sealed class RevokedRightTests : ApiFixture
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(5);

    // What waits to be accepted is bounded, and so is the time that it may wait: on a slow machine 200 orders a second
    // would pile up until some are refused for that, whatever rights there are.
    private const int MostAtATime = 64;

    private TestRole _role = null!;
    private ApiHost _asRole = null!;
    private HttpClient _http = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _role = await Database.CreateRoleAsync();
        _asRole = await ApiHost.StartAsync(_role.ConnectionString);
        _http = new HttpClient { BaseAddress = _asRole.Address };
        _http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
        await Eventually.That(
            async () => (await _http.GetAsync(new Uri("/health/ready", UriKind.Relative))).IsSuccessStatusCode,
            Is.True,
            "readiness"
        );
    }

    [TearDown]
    public async Task StopAsync()
    {
        _http.Dispose();
        await _asRole.DisposeAsync();
        await _role.DisposeAsync();
    }

    [TestCase("duplicates")]
    [TestCase("workers")]
    [TestCase("invoices")]
    public async Task A_right_that_accepting_does_not_need_is_not_missed(string table)
    {
        var answers = await UnderLoadAsync(table);
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202), "answers to POST /orders");
    }

    [TestCase("outbox")]
    [TestCase("orders")]
    [TestCase("order_lines")]
    [TestCase("order_progress")]
    [TestCase("posted_keys")]
    public async Task Without_a_right_that_it_needs_it_answers_503_and_the_key_finds_its_order_afterwards(string table)
    {
        var answers = await UnderLoadAsync(table);
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(503), "answers to POST /orders");
        var refused = answers.Where(a => a.Status == 503).ToArray();
        Assert.That(refused, Is.Not.Empty, "answers while the right was missing");
        Assert.That(refused.Select(a => a.HasRetryAfter), Is.All.True, "Retry-After");
        foreach (var (key, _, _) in refused.Take(5))
            Assert.That((await PostAsync(key)).Status, Is.EqualTo(202), "the same key afterwards");
        var keys = answers.Where(a => a.Status == 202).Select(a => a.Key).ToArray();
        Assert.That(
            await Database.CountAsync("posted_keys where key = any($1)", (object)keys),
            Is.EqualTo(keys.Length),
            "orders that were accepted"
        );
    }

    // Until some have been answered before, during and after the revocation.
    private async Task<IReadOnlyList<(string Key, int Status, bool HasRetryAfter)>> UnderLoadAsync(string table)
    {
        var answers = new ConcurrentBag<(string Key, int Status, bool HasRetryAfter)>();
        using var enough = new CancellationTokenSource();
        var load = LoadAsync(answers, enough.Token);
        await UntilMoreAsync(answers);
        await Database.ExecuteAsync($"revoke all on {table} from {_role.Name}");
        await UntilMoreAsync(answers);
        await Database.ExecuteAsync($"grant all on {table} to {_role.Name}");
        await Eventually.That(
            async () => (await PostAsync($"{Guid.NewGuid()}")).Status,
            Is.EqualTo(202),
            "an order when the right is back"
        );
        await enough.CancelAsync();
        await load;
        return [.. answers];
    }

    private static Task<int> UntilMoreAsync(ConcurrentBag<(string, int, bool)> answers)
    {
        var before = answers.Count;
        return Eventually.That(() => answers.Count, Is.GreaterThan(before + 200), "answers");
    }

    // Two hundred a second, or as many as the machine can do.
    private async Task LoadAsync(ConcurrentBag<(string, int, bool)> answers, CancellationToken enough)
    {
        using var timer = new PeriodicTimer(Between);
        using var free = new SemaphoreSlim(MostAtATime);
        var posts = new List<Task>();
        while (!enough.IsCancellationRequested && await timer.WaitForNextTickAsync(CancellationToken.None))
        {
            await free.WaitAsync(CancellationToken.None);
            posts.Add(PostAsync());
        }

        await Task.WhenAll(posts);

        async Task PostAsync()
        {
            try
            {
                var key = $"{Guid.NewGuid()}";
                var (status, hasRetryAfter) = await this.PostAsync(key);
                answers.Add((key, status, hasRetryAfter));
            }
            finally
            {
                free.Release();
            }
        }
    }

    private async Task<(int Status, bool HasRetryAfter)> PostAsync(string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/orders") { Content = Json(SampleOrder.Text) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, response.Headers.RetryAfter is not null);
    }
}
