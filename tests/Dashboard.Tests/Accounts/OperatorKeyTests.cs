using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>Keys of operators: shown once, with an end, rotated with an overlap, revoked at once.</summary>
internal sealed class OperatorKeyTests : AccountFixture
{
    [Test]
    public async Task A_key_is_made_rotated_and_revoked()
    {
        var made = await PostAsync("/api/operators/otto/keys", AdminKey, new { reason = Because });
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        var (id, key) = (made.Body["id"]!.GetValue<Guid>(), made.Body["key"]!.GetValue<string>());
        Assert.That((await GetAsync("/api/me", key)).Body["name"]!.GetValue<string>(), Is.EqualTo("otto"));
        Assert.That((await GetAsync("/api/operators", AdminKey)).Text, Does.Contain($"{id}").And.Not.Contain(key));

        var rotated = await PostAsync(
            $"/api/operators/keys/{id}/rotate",
            AdminKey,
            new { overlapHours = 1, reason = Because }
        );
        Assert.That(rotated.Status, Is.EqualTo(201), rotated.ToString());
        var next = rotated.Body["key"]!.GetValue<string>();
        foreach (var valid in (string[])[key, next])
            Assert.That((await GetAsync("/api/me", valid)).Status, Is.EqualTo(200), "both are valid meanwhile");
        var again = await PostAsync($"/api/operators/keys/{id}/rotate", AdminKey, new { reason = Because });
        Assert.That((again.Status, again.Code), Is.EqualTo((409, "account-state")), again.ToString());

        await TestSystem.Database.ExecuteAsync(
            "update operator_keys set expires_at = now() - interval '1 s' where id = $1",
            id
        );
        var revoked = await PostAsync(
            $"/api/operators/keys/{rotated.Body["id"]!.GetValue<Guid>()}/revoke",
            AdminKey,
            new { reason = Because }
        );
        Assert.That(revoked.Status, Is.EqualTo(204), revoked.ToString());
        var answers = new List<Answer>();
        foreach (var dead in (string?[])[key, next, OperatorKey.NewKey(), "op_short", null])
            answers.Add(await GetAsync("/api/me", dead));
        Assert.That(
            answers.Select(a => (a.Status, a.Code, a.Body["detail"]!.GetValue<string>())).Distinct().Count(),
            Is.EqualTo(1),
            "expired, revoked, unknown, malformed and missing keys get the same answer"
        );
        foreach (var action in (string[])["create-operator-key", "rotate-operator-key", "revoke-operator-key"])
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "audit where action = $1 and who = 'anna' and reason = $2 and target like 'key op_%… of operator otto'",
                    action,
                    Because
                ),
                Is.EqualTo(1),
                action
            );
    }

    [Test]
    public async Task An_end_in_the_past_and_an_overlap_of_a_year_are_refused()
    {
        var past = await PostAsync(
            "/api/operators/otto/keys",
            AdminKey,
            new { expiresAt = DateTimeOffset.UtcNow.AddDays(-1), reason = Because }
        );
        Assert.That((past.Status, past.Code), Is.EqualTo((400, "invalid-parameter")), past.ToString());
        var year = await PostAsync(
            $"/api/operators/keys/{Guid.NewGuid()}/rotate",
            AdminKey,
            new { overlapHours = 8760, reason = Because }
        );
        Assert.That((year.Status, year.Code), Is.EqualTo((400, "invalid-parameter")), year.ToString());
        var unknown = await PostAsync(
            $"/api/operators/keys/{Guid.NewGuid()}/rotate",
            AdminKey,
            new { reason = Because }
        );
        Assert.That((unknown.Status, unknown.Code), Is.EqualTo((404, "not-found")), unknown.ToString());
    }
}
