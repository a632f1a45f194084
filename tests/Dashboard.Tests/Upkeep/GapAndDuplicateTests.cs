namespace Orders.Dashboard.Tests.Upkeep;

internal sealed class GapAndDuplicateTests : DashboardFixture
{
    [Test]
    public async Task A_gap_is_listed_and_its_message_can_be_asked_for_once()
    {
        var order = Guid.NewGuid();
        await TestSystem.Database.ExecuteAsync(
            "insert into completeness_gaps (subject_id, effect, kind, detail, silent) values ($1, 'hurried', 1, 'The effect is overdue.', true)",
            order
        );
        var gap = (await GetAsync("/api/completeness/gaps", ViewerKey)).Body[0]!;
        Assert.That(
            (gap["subjectId"]!.GetValue<Guid>(), gap["kind"]!.GetValue<string>(), gap["silent"]!.GetValue<bool>()),
            Is.EqualTo((order, "Missing", true))
        );
        Assert.That((await GetAsync("/api/completeness", ViewerKey)).Body["open"]!.GetValue<int>(), Is.EqualTo(1));

        var path = $"/api/completeness/gaps/{order}/hurried/reemit";
        Assert.That((await PostAsync(path, ViewerKey)).Code, Is.EqualTo("missing-role"));
        Assert.That((await PostAsync(path, OperatorsKey)).Status, Is.EqualTo(202));
        Assert.That((await PostAsync(path, OperatorsKey)).Code, Is.EqualTo("already-asked"));
        Assert.That(
            (await PostAsync($"/api/completeness/gaps/{Guid.NewGuid()}/hurried/reemit", OperatorsKey)).Code,
            Is.EqualTo("not-found")
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where who = 'otto' and action = 'reemit' and target = $1",
                $"hurried of {order}"
            ),
            Is.EqualTo(1),
            "records of the one request that was granted"
        );
    }

    [Test]
    public async Task Suppressed_duplicates_are_listed_with_their_proof_and_counted()
    {
        var (order, message) = (Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state) values ($1, 'hurried', $2, 'hurried', 2)",
            order,
            message
        );
        await TestSystem.Database.ExecuteAsync(
            "insert into duplicates (at, subject_id, step, effect, message_id, cause) values (now(), $1, 'hurried', 'hurried', $2, 1)",
            order,
            message
        );
        await TestSystem.Database.ExecuteAsync(
            "insert into duplicate_counts (minute, step, cause, count) values (date_trunc('minute', now()), 'hurried', 1, 7)"
        );

        var duplicate = (await GetAsync($"/api/duplicates?subject={order}&cause=Redelivery", ViewerKey)).Body[0]!;
        Assert.That(
            (
                duplicate["cause"]!.GetValue<string>(),
                duplicate["proof"]!["messageId"]!.GetValue<Guid>(),
                duplicate["proof"]!["state"]!.GetValue<string>()
            ),
            Is.EqualTo(("Redelivery", message, "Done"))
        );
        Assert.That(
            (await GetAsync("/api/duplicates/counts", ViewerKey)).Body[0]!["count"]!.GetValue<int>(),
            Is.EqualTo(7)
        );
    }
}
