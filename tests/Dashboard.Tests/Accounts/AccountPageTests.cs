using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>The pages of operators, API keys and the own password, as a person uses them.</summary>
internal sealed class AccountPageTests : AccountFixture
{
    private static readonly string[] Paths = ["/operators", "/keys", "/erasures", "/password"];

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => Browsing.GivePasswordsAsync(TestSystem);

    [Test]
    public async Task An_operator_is_made_and_demoted()
    {
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        var page = viewer.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Operators", Exact = true }).ClickAsync();
        var form = page.Locator("form[action='/operators']");
        await form.GetByLabel("Name").FillAsync("nora");
        await form.GetByLabel("Role").SelectOptionAsync("Operator");
        await form.GetByLabel("Reason").FillAsync(Because);
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the operator" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Password of nora");
        Assert.That(await Browsing.AxeAsync(page), Is.Empty);
        using (var browser = await LogInAsync("nora", await page.Locator("#secret").InnerTextAsync()))
            Assert.That(await browser.LookAsync("/orders"), Is.EqualTo(200));

        await page.GotoAsync("/operators");
        await page.GetByText("Change nora").ClickAsync();
        var role = page.Locator("form[action='/operators/nora/role']");
        await role.GetByLabel("Role").SelectOptionAsync("Viewer");
        await role.GetByLabel("Reason").FillAsync(Because);
        await page.GetByRole(AriaRole.Button, new() { Name = "Change the role of nora" }).ClickAsync();
        await SaysAsync(page, "nora has the role viewer.");
        Assert.That(await RecordsAsync("change-role", "operator nora: Viewer"), Is.EqualTo(1));
    }

    [Test]
    public async Task The_last_admin_reads_why_nothing_was_changed()
    {
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        var page = viewer.Page;
        await page.GotoAsync("/operators");
        await page.GetByText("Change anna").ClickAsync();
        await page.Locator("form[action='/operators/anna/disable']").GetByLabel("Reason").FillAsync(Because);
        await page.GetByRole(AriaRole.Button, new() { Name = "Disable anna" }).ClickAsync();
        await SaysAsync(page, "Nothing was changed. This would lock the last admin out.");
    }

    [Test]
    public async Task An_API_key_is_made_and_revoked()
    {
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        var page = viewer.Page;
        await page.GotoAsync("/keys");
        var form = page.Locator("form[action='/keys']");
        await form.GetByLabel("Client").FillAsync("shop-on-a-page");
        await form.GetByLabel("orders:read").CheckAsync();
        await form.GetByLabel("Ends after days").FillAsync("30");
        await form.GetByLabel("Reason").FillAsync(Because);
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the key" }).ClickAsync();
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("Key of shop-on-a-page");
        var key = await page.Locator("#secret").InnerTextAsync();
        var reader = new ApiKeyReader(TestSystem.Database.Source);
        Assert.That((await reader.FindAsync(ApiKeys.HashOf(key), default))?.ClientId, Is.EqualTo("shop-on-a-page"));
        await page.GetByRole(AriaRole.Link, new() { Name = "Back to the list" }).ClickAsync();
        var row = page.Locator("tbody tr").Filter(new() { HasText = "shop-on-a-page" });
        await row.GetByText("Rotate, revoke").ClickAsync();
        await row.Locator("form[action$='/revoke']").GetByLabel("Reason").FillAsync(Because);
        await row.GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await SaysAsync(page, "The key of shop-on-a-page is revoked");
        Assert.That(await reader.FindAsync(ApiKeys.HashOf(key), default), Is.Null);
    }

    [Test]
    public async Task The_pages_suit_everybody_in_both_themes_and_on_a_phone()
    {
        await PostAsync(
            "/api/keys",
            AdminKey,
            new
            {
                client = "shop",
                scopes = new[] { "orders:read" },
                reason = Because,
            }
        );
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        foreach (var path in Paths)
        {
            await viewer.Page.GotoAsync(path);
            foreach (var summary in await viewer.Page.Locator("main summary").AllAsync())
                await summary.ClickAsync();
            Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);
        }

        await using var phone = await Browsing.OpenAsync(Dashboard.Address, "anna", width: 390, height: 844);
        foreach (var path in Paths)
        {
            await phone.Page.GotoAsync(path);
            Assert.That(
                await phone.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
                Is.LessThanOrEqualTo(390),
                $"{path} must not scroll sideways"
            );
        }
    }

    // One that waits is in ErasureEdgeTests: here it would be finished before anybody has looked.
    [Test]
    public async Task An_admin_sees_who_has_asked_for_an_erasure_and_why()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            insert into erasures (id, person_hash, requested_by, reason, total, done, finished_at)
                values (uuidv7(), sha256('zoe'), 'anna', 'Request of <b>3 May</b>.', 1200, 1200, now())
            """
        );
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "anna");
        await viewer.Page.GetByRole(AriaRole.Link, new() { Name = "Erasures", Exact = true }).ClickAsync();
        var row = viewer.Page.Locator("tbody tr");
        await Assertions.Expect(row).ToHaveCountAsync(1);
        foreach (var says in (string[])["Finished", "1,200 of 1,200", "anna", "Request of <b>3 May</b>."])
            await Assertions.Expect(row).ToContainTextAsync(says);
        Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);
        await TestSystem.Database.ExecuteAsync("delete from erasures");
    }

    [Test]
    public async Task Who_is_no_admin_sees_no_link_and_is_refused()
    {
        await using var viewer = await Browsing.OpenAsync(Dashboard.Address, "otto");
        await Assertions
            .Expect(viewer.Page.GetByRole(AriaRole.Link, new() { Name = "Operators", Exact = true }))
            .ToHaveCountAsync(0);
        foreach (var path in (string[])["/operators", "/keys", "/erasures"])
            Assert.That((await viewer.Page.GotoAsync(path))!.Status, Is.EqualTo(403), path);
        using var browser = await LogInAsync("otto");
        foreach (
            var path in (string[])
                [
                    "/operators",
                    "/operators/vera/role",
                    "/operators/vera/disable",
                    "/operators/vera/password",
                    "/operators/vera/keys",
                    $"/operators/keys/{Guid.NewGuid()}/rotate",
                    "/keys",
                    $"/keys/{Guid.NewGuid()}/revoke",
                ]
        )
            Assert.That(await PostFormAsync(browser, path, ("reason", "curious")), Is.EqualTo("403"), path);
    }

    private static Task SaysAsync(IPage page, string done) =>
        Assertions.Expect(page.Locator(".bar[data-state=good]")).ToContainTextAsync(done);
}
