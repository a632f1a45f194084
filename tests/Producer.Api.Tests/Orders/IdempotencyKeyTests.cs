namespace Orders.Producer.Api.Tests.Orders;

internal sealed class IdempotencyKeyTests : ApiFixture
{
    [Test]
    public async Task The_same_key_and_body_again_give_the_same_order()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-1");
        var second = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-1");
        Assert.Multiple(() =>
        {
            Assert.That((first.Status, second.Status), Is.EqualTo((202, 202)));
            Assert.That(second.Text, Is.EqualTo(first.Text));
            Assert.That(second.Headers["Location"], Is.EqualTo(first.Headers["Location"]));
            Assert.That(first.Headers, Does.Not.ContainKey("Idempotency-Replayed"));
            Assert.That(second.Headers["Idempotency-Replayed"], Is.EqualTo("true"));
        });
    }

    [Test]
    public async Task A_replay_shows_where_the_order_stands_now()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-2");
        await Database.ExecuteAsync(
            "update order_progress set done = 1 where order_id = $1",
            Guid.Parse(first.Body["id"]!.GetValue<string>())
        );
        Assert.That(
            (await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-2")).Body["status"]!.GetValue<string>(),
            Is.EqualTo("Processing")
        );
    }

    [Test]
    public async Task Fifty_at_once_with_one_key_make_one_order()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(_ => PostAsync(SampleOrder.WithNotes("\"fifty\""), idempotencyKey: "fifty-at-once"))
        );
        Assert.Multiple(() =>
        {
            Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(409));
            Assert.That(answers.Where(a => a.Status == 409).Select(a => a.Code), Is.All.EqualTo("key-in-flight"));
            Assert.That(answers.Where(a => a.Status == 409).Select(a => a.Headers["Retry-After"]), Is.All.EqualTo("1"));
            Assert.That(
                answers.Where(a => a.Status == 202).Select(a => a.Body["id"]!.GetValue<string>()).Distinct().Count(),
                Is.EqualTo(1)
            );
        });
        Assert.That(await Database.CountAsync("orders where notes = 'fifty'"), Is.EqualTo(1), "orders of the key");
    }

    [Test]
    public async Task Fifty_at_once_over_two_processes_make_one_order()
    {
        await using var second = await ApiHost.StartAsync(Database.ConnectionString);
        using var http = new HttpClient();
        await Eventually.That(
            async () => (int)(await http.GetAsync(new Uri(second.Address, "/health/ready"))).StatusCode,
            Is.EqualTo(200),
            "the second process"
        );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(async i =>
                {
                    using var request = new HttpRequestMessage(
                        HttpMethod.Post,
                        new Uri(i % 2 == 0 ? Api.Address : second.Address, "/orders")
                    )
                    {
                        Content = Json(SampleOrder.WithNotes("\"two\"")),
                    };
                    request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
                    request.Headers.TryAddWithoutValidation("Idempotency-Key", "two-processes");
                    using var response = await http.SendAsync(request);
                    return await Answer.OfAsync(response);
                })
        );
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(409));
        Assert.That(await Database.CountAsync("orders where notes = 'two'"), Is.EqualTo(1), "orders of the key");
    }

    [Test]
    public async Task Another_body_with_a_used_key_is_refused()
    {
        await PostAsync(SampleOrder.Text, idempotencyKey: "used-key");
        var answer = await PostAsync(SampleOrder.WithQuantity("3"), idempotencyKey: "used-key");
        Assert.That((answer.Status, answer.Code), Is.EqualTo((422, "idempotency-key-reused")));
    }

    [Test]
    public async Task Keys_of_different_clients_never_meet()
    {
        var alice = await PostAsync(SampleOrder.Text, Alice, "shared-name");
        var bob = await PostAsync(SampleOrder.Text, Bob, "shared-name");
        Assert.That((bob.Status, bob.Headers.ContainsKey("Idempotency-Replayed")), Is.EqualTo((202, false)));
        Assert.That(bob.Body["id"]!.GetValue<string>(), Is.Not.EqualTo(alice.Body["id"]!.GetValue<string>()));
    }

    [Test]
    public async Task A_refused_order_does_not_use_the_key_up()
    {
        Assert.That(
            (await PostAsync(SampleOrder.WithQuantity("0"), idempotencyKey: "second-try")).Status,
            Is.EqualTo(422)
        );
        Assert.That((await PostAsync(SampleOrder.Text, idempotencyKey: "second-try")).Status, Is.EqualTo(202));
    }

    [TestCase("")]
    [TestCase("1234567")]
    [TestCase("with blank")]
    [TestCase("slash/slash")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        var answer = await PostAsync(SampleOrder.Text, idempotencyKey: key);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-idempotency-key")));
    }

    [TestCase(64, 202)]
    [TestCase(65, 400)]
    public async Task A_key_has_at_most_64_characters(int length, int status) =>
        Assert.That(
            (await PostAsync(SampleOrder.Text, idempotencyKey: new string('k', length))).Status,
            Is.EqualTo(status)
        );

    [Test]
    public async Task Two_keys_are_refused()
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync(
            $"POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Alice}\r\nContent-Type: application/json\r\nIdempotency-Key: aaaaaaaa\r\nIdempotency-Key: bbbbbbbb\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        Assert.That(
            await connection.ReadAsync(),
            Does.StartWith("HTTP/1.1 400").And.Contains("invalid-idempotency-key")
        );
    }
}
