using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Orders.Infrastructure.Operators;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>A fixture with a dashboard and Debian's Chromium. One browser for all fixtures; each test has a context, and with it cookies, of its own.</summary>
internal abstract class InABrowser : InADashboard
{
    protected const string Password = "correct horse battery staple";

    private static readonly Lazy<Task<IBrowser>> Browser = new(StartBrowserAsync);

    private static readonly string[] Rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

    [OneTimeSetUp]
    public async Task GivePasswordsAsync()
    {
        var operators = new OperatorStore(System.Database.Source);
        foreach (var (name, role) in ((string, OperatorRole)[])[("vera", OperatorRole.Viewer), ("otto", OperatorRole.Operator), ("anna", OperatorRole.Admin)])
            await operators.EnsureAsync(name, role, Password, null, default);
    }

    /// <summary>A browser that is logged in; what it refuses for the sake of the content security policy, and what scripts throw, fails the test when it is disposed.</summary>
    protected async Task<Viewer> OpenAsync(string name = "anna", ColorScheme scheme = ColorScheme.Light, int width = 1440, int height = 900)
    {
        var context = await (await Browser.Value).NewContextAsync(new()
        {
            BaseURL = Dashboard.Address.ToString(),
            ColorScheme = scheme,
            ReducedMotion = ReducedMotion.Reduce,
            TimezoneId = "UTC",
            ViewportSize = new() { Width = width, Height = height },
        });
        var viewer = new Viewer(context, await context.NewPageAsync());
        await viewer.Page.GotoAsync("/login");
        await viewer.Page.GetByLabel("Name").FillAsync(name);
        await viewer.Page.GetByLabel("Password").FillAsync(Password);
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await viewer.Page.WaitForURLAsync("**/");
        return viewer;
    }

    /// <summary>What axe finds on the page against WCAG 2.2 A and AA.</summary>
    protected static async Task<IReadOnlyList<string>> AxeAsync(IPage page)
    {
        var result = await page.RunAxe(new() { RunOnly = new() { Type = "tag", Values = [.. Rules] } });
        return [.. result.Violations.SelectMany(v => v.Nodes.Select(n => $"{page.Url}: {v.Id}: {v.Help}: {n.Html}"))];
    }

    private static async Task<IBrowser> StartBrowserAsync()
    {
        var playwright = await Playwright.CreateAsync();
        return await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }
}

/// <summary>A browser with one page.</summary>
internal sealed class Viewer : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public Viewer(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, error) => _complaints.Add($"{page.Url}: script: {error}");
        page.Console += (_, message) =>
        {
            if (message.Text.Contains("Content Security Policy", StringComparison.OrdinalIgnoreCase))
                _complaints.Add($"{page.Url}: {message.Text}");
        };
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public IPage Page { get; }

    /// <summary>Every address the page has asked for.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>What was refused or thrown so far.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Assert.That(_complaints, Is.Empty, "what the browser complained about");
    }
}
