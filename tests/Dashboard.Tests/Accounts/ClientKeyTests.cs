using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>Keys of API clients: made, rotated and revoked by admins; the API asks the same table.</summary>
internal sealed class ClientKeyTests : AccountFixture
{
    [Test]
    public async Task A_key_is_made_rotated_and_revoked()
    {
        var made = await PostAsync(
            "/api/keys",
            AdminKey,
            new
            {
                client = "shop",
                scopes = new[] { "orders:read" },
                expiresAt = DateTimeOffset.UtcNow.AddDays(90),
                reason = Because,
            }
        );
        Assert.That(made.Status, Is.EqualTo(201), made.ToString());
        var (id, key) = (made.Body["id"]!.GetValue<Guid>(), made.Body["key"]!.GetValue<string>());
        var known = await FindAsync(key);
        Assert.That(known?.ClientId, Is.EqualTo("shop"));
        Assert.That(known!.Scopes, Is.EqualTo(new[] { "orders:read" }));
        Assert.That(known.ExpiresAt, Is.Not.Null);
        Assert.That(
            (await GetAsync("/api/keys?client=shop", AdminKey)).Text,
            Does.Contain($"{id}").And.Contain(key[..7]).And.Not.Contain(key)
        );

        var rotated = await PostAsync($"/api/keys/{id}/rotate", AdminKey, new { overlapHours = 2, reason = Because });
        Assert.That(rotated.Status, Is.EqualTo(201), rotated.ToString());
        var next = rotated.Body["key"]!.GetValue<string>();
        Assert.That((await FindAsync(next))?.Scopes, Is.EqualTo(new[] { "orders:read" }));
        Assert.That(
            (await FindAsync(key))?.ExpiresAt,
            Is.LessThan(DateTimeOffset.UtcNow.AddHours(3)),
            "the old key ends after the overlap"
        );
        var again = await PostAsync($"/api/keys/{id}/rotate", AdminKey, new { reason = Because });
        Assert.That((again.Status, again.Code), Is.EqualTo((409, "account-state")), again.ToString());

        foreach (var each in (Guid[])[id, rotated.Body["id"]!.GetValue<Guid>()])
        {
            var revoked = await PostAsync($"/api/keys/{each}/revoke", AdminKey, new { reason = Because });
            Assert.That(revoked.Status, Is.EqualTo(204), revoked.ToString());
        }

        foreach (var dead in (string[])[key, next])
            Assert.That(await FindAsync(dead), Is.Null);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where action like '%-api-key' and who = 'anna' and reason = $1 and target like 'key ok_%of client shop%'",
                Because
            ),
            Is.EqualTo(4)
        );
    }

    [TestCase("shop", "orders:delete", "scopes orders:read")]
    [TestCase("shop", "", "scopes orders:read")]
    [TestCase("a shop", "orders:read", "1 to 64 characters")]
    public async Task An_unknown_scope_or_a_strange_name_is_refused(string client, string scope, string says)
    {
        var answer = await PostAsync(
            "/api/keys",
            AdminKey,
            new
            {
                client,
                scopes = scope == "" ? [] : new[] { scope },
                reason = Because,
            }
        );
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-parameter")), answer.ToString());
        Assert.That(answer.Body["detail"]!.GetValue<string>(), Does.Contain(says));
    }

    private Task<KnownClient?> FindAsync(string key) =>
        new ApiKeyReader(TestSystem.Database.Source).FindAsync(ApiKeys.HashOf(key), default);
}
