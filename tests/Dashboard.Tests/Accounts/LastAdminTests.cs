using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>Nobody locks the last admin out, not even two admins each other.</summary>
internal sealed class LastAdminTests : AccountFixture
{
    [Test, Order(1)]
    public async Task Two_admins_who_disable_each_other_at_once_leave_one()
    {
        var (name, key) = await AddAsync(OperatorRole.Admin);
        var answers = await Task.WhenAll(
            PostAsync($"/api/operators/{name}/disable", AdminKey, new { reason = Because }),
            PostAsync("/api/operators/anna/disable", key, new { reason = Because })
        );
        Assert.That(
            answers.Select(a => a.Status),
            Is.EquivalentTo(new[] { 204, 403 }).Or.EquivalentTo(new[] { 204, 401 }),
            string.Join('\n', answers.Select(a => a.ToString()))
        );
        await TestSystem.Database.ExecuteAsync("update operators set disabled_at = null where name = 'anna'");
        await TestSystem.Database.ExecuteAsync("delete from operators where name = $1", name);
    }

    [Test, Order(2)]
    public async Task The_last_admin_is_neither_disabled_nor_demoted_nor_left_without_a_key()
    {
        var id = await TestSystem.Database.ScalarAsync<Guid>("select id from operator_keys where name = 'anna'");
        Answer[] answers =
        [
            await PostAsync("/api/operators/anna/disable", AdminKey, new { reason = Because }),
            await SendAsync(
                HttpMethod.Put,
                "/api/operators/anna/role",
                AdminKey,
                new { role = "Operator", reason = Because }
            ),
            await PostAsync($"/api/operators/keys/{id}/revoke", AdminKey, new { reason = Because }),
            await PostAsync(
                $"/api/operators/keys/{id}/rotate",
                AdminKey,
                new { expiresAt = DateTimeOffset.UtcNow.AddDays(1), reason = Because }
            ),
        ];
        foreach (var answer in answers)
        {
            Assert.That((answer.Status, answer.Code), Is.EqualTo((409, "account-state")), answer.ToString());
            Assert.That(answer.Body["detail"]!.GetValue<string>(), Does.Contain("lock the last admin out"));
        }

        Assert.That((await GetAsync("/api/operators", AdminKey)).Status, Is.EqualTo(200));
    }
}
