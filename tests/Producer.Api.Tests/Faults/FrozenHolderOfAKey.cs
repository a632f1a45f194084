using Npgsql;

namespace Orders.Producer.Api.Tests.Faults;

/// <summary>A replica that is frozen in mid-commit holds one Idempotency-Key. Whoever posts with another key, or none, must not wait for it.</summary>
internal sealed class FrozenHolderOfAKey : InAnApi
{
    private const int Others = 40;

    [Test]
    public async Task Holds_up_only_the_request_with_the_same_key()
    {
        await using var connection = await Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("insert into posted_keys (client_id, key, body_hash, order_id) values ('alice', 'held-key-1', '\\x00', $1)", connection))
        {
            hold.Parameters.Add(new() { Value = Guid.NewGuid() });
            await hold.ExecuteNonQueryAsync();
        }

        var held = PostAsync(SampleOrder.Text, Alice, "held-key-1");
        var others = await Task.WhenAll(Enumerable.Range(0, Others).Select(i => PostAsync(SampleOrder.Text, Alice, i % 2 == 0 ? $"other-key-{i}" : null)));
        Assert.That(others.Select(a => a.Status), Is.All.EqualTo(202), string.Join('\n', others.Where(a => a.Status != 202)));
        var answer = await held;
        Assert.That((answer.Status, answer.Code), Is.EqualTo((409, "key-in-flight")), answer.ToString());
        Assert.That(answer.Headers, Does.ContainKey("Retry-After"));

        // Still held: the others were not answered because the holder had gone.
        await transaction.RollbackAsync();
        Assert.That((await PostAsync(SampleOrder.Text, Alice, "held-key-1")).Status, Is.EqualTo(202), "the same key once it is free");
        Assert.That(await Database.CountAsync("orders"), Is.EqualTo(Others + 1));
    }
}
