using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Routes;

/// <summary>
/// A viewer, an operator and an admin on each page, and at each form: who may not do something sees it, cannot press it
/// and reads which role it takes; and the server refuses what a page would not have sent.
/// </summary>
internal sealed class PageRoleTests : BrowserFixture
{
    // Each button of a form that changes something: where it goes, whether it can be pressed, and what stands behind it.
    private const string Buttons = """
        () => [...document.querySelectorAll('form[method=post]')].flatMap(form => [...form.elements]
            .filter(e => e.tagName === 'BUTTON' && e.type === 'submit')
            .map(e => [e.getAttribute('formaction') ?? form.getAttribute('action'), e.textContent.trim(),
                e.disabled ? 'disabled' : 'enabled', e.nextElementSibling?.textContent.trim() ?? '']))
        """;

    private static readonly (string Name, OperatorRole Role)[] People =
    [
        ("vera", OperatorRole.Viewer),
        ("otto", OperatorRole.Operator),
        ("anna", OperatorRole.Admin),
    ];

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Failures:Index", "false"), ("Redrive:Run", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 60);
        await SampleData.RestAsync(TestSystem.Database);
        await SampleData.FailuresAsync(TestSystem.Database, 24);
    }

    [TestCaseSource(nameof(People))]
    public async Task Each_page_opens_or_says_which_role_it_takes_and_so_does_each_button(
        (string Name, OperatorRole Role) who
    )
    {
        var forms = PageRoutes.Of(Dashboard).Where(route => route.Method == "POST").ToArray();
        await using var viewer = await OpenAsync(who.Name);
        var (wrong, buttons) = (new List<string>(), 0);
        foreach (var (route, address) in await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
        {
            var answer = await viewer.Page.GotoAsync(address);
            var allowed = who.Role >= route.Needs;
            Assert.That(answer!.Status, Is.EqualTo(allowed ? 200 : 403), address);
            if (!allowed)
                await Assertions
                    .Expect(viewer.Page.Locator("main"))
                    .ToContainTextAsync($"Needs the role {Word(route.Needs!.Value)}; yours is {Word(who.Role)}.");
            await Assertions.Expect(viewer.Page.Locator("h1")).ToBeVisibleAsync();
            // Where the navigation leads, it lets in.
            Assert.That(
                await viewer.Page.Locator($".side ul a[href='{route.Path}']").CountAsync(),
                allowed ? Is.AtMost(1) : Is.Zero,
                $"{route.Path} in the navigation of {who.Name}"
            );
            foreach (var button in await viewer.Page.EvaluateAsync<string[][]>(Buttons))
            {
                var (action, says, state, behind) = (button[0], button[1], button[2], button[3]);
                if (action == "/logout")
                    continue;
                buttons++;
                var needs = NeedsOf(forms, action);
                var expected =
                    who.Role >= needs
                        ? state == "enabled"
                        : state == "disabled" && behind == $"Needs the role {Word(needs)}.";
                if (!expected)
                    wrong.Add($"{address}: '{says}' ({action}) takes {needs}, is {state}: {behind}");
            }
        }

        Assert.That(buttons, Is.Positive, "buttons of forms");
        Assert.That(wrong, Is.Empty, $"buttons for {who.Name}");
    }

    [TestCaseSource(nameof(People))]
    public async Task What_a_page_would_not_have_sent_is_refused_with_the_role_and_written_down(
        (string Name, OperatorRole Role) who
    )
    {
        await using var viewer = await OpenAsync(who.Name);
        foreach (var form in PageRoutes.Of(Dashboard).Where(r => r.Method == "POST" && r.Needs > who.Role))
        {
            var address = AddressOf(form.Path);
            var answer = await viewer.Page.APIRequest.PostAsync(address, new() { MaxRedirects = 0 });
            Assert.That(answer.Status, Is.EqualTo(403), address);
            Assert.That(
                await answer.TextAsync(),
                Does.Contain($"Needs the role {Word(form.Needs!.Value)}; yours is {Word(who.Role)}.")
                    .And.Contain("the attempt is in the audit record"),
                address
            );
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "audit where who = $1 and action = 'refused' and target = $2",
                    who.Name,
                    $"POST {address}"
                ),
                Is.EqualTo(1),
                address
            );
        }
    }

    // Attack: a viewer opens a page of admins. Nothing would have been changed, and nothing is in the record.
    [Test]
    public async Task A_page_that_is_not_shown_does_not_claim_to_be_in_the_record()
    {
        await using var viewer = await OpenAsync("vera");
        await viewer.Page.GotoAsync("/operators");
        await Assertions.Expect(viewer.Page.Locator("main")).Not.ToContainTextAsync("audit record");
        Assert.That(
            await TestSystem.Database.CountAsync("audit where who = 'vera' and target like '%/operators'"),
            Is.Zero,
            "records"
        );
    }

    [Test]
    public async Task Nobody_is_sent_to_the_login_from_each_page_and_comes_back_to_it()
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false })
        {
            BaseAddress = Dashboard.Address,
        };
        foreach (var (_, address) in await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
        {
            using var answer = await http.GetAsync(new Uri(address, UriKind.Relative));
            Assert.That((int)answer.StatusCode, Is.EqualTo(302), address);
            Assert.That(
                answer.Headers.Location!.OriginalString,
                Does.EndWith($"/login?return={Uri.EscapeDataString(address)}"),
                address
            );
        }
    }

    private static string Word(OperatorRole role) => role.ToString().ToLowerInvariant();

    // The most literal route that fits, as routing chooses.
    private static OperatorRole NeedsOf(IEnumerable<BrowserRoute> forms, string action)
    {
        var path = action.Split('?')[0];
        var form = forms
            .Where(form =>
                new TemplateMatcher(TemplateParser.Parse(form.Path.TrimStart('/')), []).TryMatch(
                    path,
                    new RouteValueDictionary()
                )
            )
            .MinBy(form => form.Path.Count(c => c == '{'));
        Assert.That(form?.Needs, Is.Not.Null, $"{action}: a route for it");
        return form!.Needs!.Value;
    }

    // One that fits the route: an id, the first word of a choice, any name.
    private static string AddressOf(string path) =>
        System.Text.RegularExpressions.Regex.Replace(
            path,
            @"\{\w+(?<constraint>:guid|:regex\(\^\((?<word>\w+)[^}]*)?\}",
            m =>
                m.Groups["word"] is { Success: true } word ? word.Value
                : m.Groups["constraint"].Success ? Guid.NewGuid().ToString()
                : "nothing"
        );
}
