using Npgsql;

namespace Orders.Producer.Api.Tests.Limits;

/// <summary>
/// Attack: somebody without a key asks again and again whether the API is ready, so that no connection to the database
/// is left for orders.
/// </summary>
internal sealed class ReadinessFloodTests : ApiFixture
{
    private const string Asking = """
        pg_stat_activity where datname = current_database() and state = 'active'
            and query = 'select exists (select from step_catalogue)'
        """;

    [Test]
    public async Task A_flood_of_questions_takes_one_connection()
    {
        await using var connection = await Database.Source.OpenConnectionAsync();
        Task<Answer>[] flood;
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // No answer until this ends, or the time limit of the question.
            await using var hold = new NpgsqlCommand("lock table step_catalogue in access exclusive mode", connection);
            await hold.ExecuteNonQueryAsync();
            flood = [.. Enumerable.Range(0, 60).Select(_ => GetAsync("/health/ready", null))];
            await Eventually.That(() => Database.CountAsync(Asking), Is.GreaterThan(0), "questions under way");
            // Whoever is to arrive has arrived when others behind have been answered.
            for (var i = 0; i < 20; i++)
                Assert.That((await GetAsync("/health/live", null)).Status, Is.EqualTo(200));
            Assert.That(await Database.CountAsync(Asking), Is.LessThanOrEqualTo(1), "questions under way");
        }

        foreach (var answer in await Task.WhenAll(flood))
            Assert.That(answer.Status, Is.EqualTo(200).Or.EqualTo(503), answer.ToString());
        await UntilReadyAsync();
    }
}
