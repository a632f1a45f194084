using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// Debian's Chromium, one for all fixtures; each viewer has a context, and with it cookies, of its own.
/// </summary>
internal static class Browsing
{
    /// <summary>Theirs.</summary>
    public const string Password = "correct horse battery staple";

    // Rows of a table are alike: what is wrong with one is wrong with the first.
    private const string MoreRows = "tbody tr:nth-child(n+4)";

    private const float Patience = 60_000;

    private static readonly Lazy<Task<IBrowser>> Browser = new(StartAsync);

    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private static readonly string[] Rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

    private static readonly string[] OfColours = ["color-contrast", "link-in-text-block"];

    /// <summary>Lets vera, otto and anna log in.</summary>
    public static async Task GivePasswordsAsync(OrdersSystem system)
    {
        var operators = new OperatorStore(system.Database.Source);
        foreach (
            var (name, role) in ((string, OperatorRole)[])
                [("vera", OperatorRole.Viewer), ("otto", OperatorRole.Operator), ("anna", OperatorRole.Admin)]
        )
            await operators.EnsureAsync(name, role, Password, null, default);
    }

    /// <summary>
    /// A browser that is logged in; what it refuses for the sake of the content security policy, and what scripts
    /// throw, fails the test when it is disposed.
    /// </summary>
    public static async Task<Viewer> OpenAsync(
        Uri dashboard,
        string name,
        ColorScheme scheme = ColorScheme.Light,
        int width = 1440,
        int height = 900
    )
    {
        var context = await (await Browser.Value).NewContextAsync(
            new()
            {
                BaseURL = dashboard.ToString(),
                ColorScheme = scheme,
                ReducedMotion = ReducedMotion.Reduce,
                TimezoneId = "UTC",
                ViewportSize = new() { Width = width, Height = height },
                // A test's proxy has made its certificate itself.
                IgnoreHTTPSErrors = true,
            }
        );
        context.SetDefaultTimeout(Patience);
        var viewer = new Viewer(context, await context.NewPageAsync());
        // Relative: the dashboard may be below a path.
        await viewer.Page.GotoAsync("login");
        await viewer.Page.GetByLabel("Name").FillAsync(name);
        await viewer.Page.GetByLabel("Password").FillAsync(Password);
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        // By what the page has, and not by its events: on a busy machine one may be over before anybody waits for it.
        await Assertions
            .Expect(viewer.Page.Locator("form[action$='/logout']"))
            .ToBeAttachedAsync(new() { Timeout = (float)TimeSpan.FromMinutes(2).TotalMilliseconds });
        return viewer;
    }

    /// <summary>An empty page of a browser in a zone and a language, for scripts alone.</summary>
    public static async Task<IPage> NewPageAsync(string zone, string locale) =>
        await (
            await (await Browser.Value).NewContextAsync(new() { TimezoneId = zone, Locale = locale })
        ).NewPageAsync();

    /// <summary>
    /// What axe finds on the page against WCAG 2.2 A and AA, in light and in dark. The themes differ in colours only,
    /// so in dark only colours are looked at.
    /// </summary>
    public static async Task<IReadOnlyList<string>> AxeAsync(IPage page)
    {
        var light = await RunAsync(page, "tag", Rules);
        await page.EvaluateAsync("document.documentElement.dataset.theme = 'dark'");
        var dark = await RunAsync(page, "rule", OfColours);
        await page.EvaluateAsync("document.documentElement.dataset.theme = 'light'");
        return [.. light, .. dark.Select(finding => $"dark: {finding}")];
    }

    // Not by RunAxe of the Playwright package: it opens a page of its own each time, for frames that these pages do not
    // have.
    private static async Task<IReadOnlyList<string>> RunAsync(IPage page, string type, IReadOnlyList<string> values)
    {
        if (!await page.EvaluateAsync<bool>("() => !!window.axe"))
            await page.EvaluateAsync(Axe);
        return await page.EvaluateAsync<string[]>(
            """
            async ([more, type, values]) => (await axe.run({ include: [['html']], exclude: [[more]] }, { runOnly: { type, values }, resultTypes: ['violations'] }))
                .violations.flatMap(v => v.nodes.map(n => `${location.pathname}${location.search}: ${v.id}: ${v.help}: ${n.html}`))
            """,
            new object[] { MoreRows, type, values.ToArray() }
        );
    }

    /// <summary>
    /// Waits until a script says true. Not by WaitForFunctionAsync of the Playwright package: it evaluates the script
    /// again from within the page, which the pages' content security policy forbids.
    /// </summary>
    public static Task UntilAsync(IPage page, string script) =>
        Eventually.That(() => page.EvaluateAsync<bool>(script), Is.True, script, TimeSpan.FromMinutes(1));

    /// <summary>
    /// Two keys of which the second counts for a moment after the first. Pressed by the page itself: between two calls
    /// from outside a busy machine may let that moment pass.
    /// </summary>
    public static Task PressPairAsync(IPage page, char first, char second) =>
        page.EvaluateAsync(
            """
            keys => setTimeout(() => keys.forEach(
                key => document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))))
            """,
            new[] { $"{first}", $"{second}" }
        );

    private static async Task<IBrowser> StartAsync()
    {
        // Five seconds by default, which a page of a busy machine may take.
        Assertions.SetDefaultExpectTimeout(Patience);
        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = Executable(),
                Env = await NetworkNews.WithoutAsync(),
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            }
        );
    }

    // The same choice as in deploy/machine/browser.sh.
    private static string Executable()
    {
        const string shell = "/usr/bin/chromium-headless-shell";
        return Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } chosen ? chosen
            : File.Exists(shell) ? shell
            : "/usr/bin/chromium";
    }
}
