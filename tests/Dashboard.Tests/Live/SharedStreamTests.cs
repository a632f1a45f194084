using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Orders.Dashboard.Live;
using Orders.Dashboard.Tests.Login;
using Orders.Dashboard.Tests.Pages;
using Feed = Orders.Testing.Zoo.Feed;

namespace Orders.Dashboard.Tests.Live;

/// <summary>
/// A browser has one stream of live figures for all tabs of a session. Over HTTP/1.1 it has six connections to a site:
/// with a stream for each tab, the seventh would not answer.
/// </summary>
internal sealed class SharedStreamTests : BrowserFixture
{
    private const int Tabs = 7;
    private const string Ready = "[data-live='q:hurried:ready']";
    private static readonly LocatorAssertionsToHaveTextOptions Soon = new() { Timeout = 60_000 };
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private int _published;

    [OneTimeSetUp]
    public Task GivePasswordsToMoreAsync() =>
        LoginClient.GivePasswordsAsync(TestSystem, "rita", "lars", "emma", "erik");

    [Test]
    public async Task Seven_tabs_answer_with_one_stream_and_closing_some_keeps_the_others_alive()
    {
        await using var viewer = await OpenAsync();
        var tabs = await OpenTabsAsync(viewer, Tabs);
        await StreamsAsync(1);
        foreach (var tab in tabs)
        {
            Assert.That((await tab.GotoAsync("/queues", new() { Timeout = 60_000 }))!.Status, Is.EqualTo(200));
            await IsLiveAsync(tab);
        }

        await StreamsAsync(1);
        await FiguresArriveAsync(tabs);

        // The first one began the stream.
        await tabs[0].CloseAsync();
        await tabs[3].CloseAsync();
        IPage[] left = [.. tabs.Where(t => !t.IsClosed)];
        await FiguresArriveAsync(left);
        await StreamsAsync(1);
    }

    [Test]
    public async Task Hidden_tabs_have_no_stream_and_a_tab_that_is_seen_again_is_up_to_date()
    {
        await using var viewer = await OpenAsync();
        var tabs = await OpenTabsAsync(viewer, 2);
        await SetHiddenAsync(tabs[0], true);
        await FiguresArriveAsync([tabs[1]]);
        await StreamsAsync(1);
        await SetHiddenAsync(tabs[1], true);
        await StreamsAsync(0);

        var expected = await PublishAsync();
        await SetHiddenAsync(tabs[0], false);
        await Assertions.Expect(tabs[0].Locator(Ready)).ToHaveTextAsync(expected, Soon);
        await IsLiveAsync(tabs[0]);
        await StreamsAsync(1);
    }

    [Test]
    public async Task A_paused_tab_does_not_hold_the_stream_open()
    {
        await using var viewer = await OpenAsync();
        await OpenTabsAsync(viewer, 1);
        await viewer.Page.Locator("#pause").ClickAsync();
        await StreamsAsync(0);
        await viewer.Page.Locator("#pause").ClickAsync();
        await IsLiveAsync(viewer.Page);
    }

    [Test]
    public async Task A_worker_that_was_killed_is_replaced()
    {
        await using var viewer = await OpenAsync();
        var tabs = await OpenTabsAsync(viewer, 3);
        await StreamsAsync(1);
        var session = await viewer.Page.Context.Browser!.NewBrowserCDPSessionAsync();
        var targets = (await session.SendAsync("Target.getTargets"))!.Value.GetProperty("targetInfos");
        var worker = targets
            .EnumerateArray()
            .Single(t =>
                t.GetProperty("type").GetString() == "shared_worker"
                && t.GetProperty("url").GetString()!.StartsWith(Dashboard.Address.ToString(), StringComparison.Ordinal)
            );
        await session.SendAsync(
            "Target.closeTarget",
            new Dictionary<string, object> { ["targetId"] = worker.GetProperty("targetId").GetString()! }
        );
        await StreamsAsync(0);
        await FiguresArriveAsync(tabs);
        await StreamsAsync(1);
    }

    [Test]
    public async Task All_tabs_learn_that_their_session_was_revoked()
    {
        await using var viewer = await OpenAsync("rita");
        var tabs = await OpenTabsAsync(viewer, 3);
        await TestSystem.Database.ExecuteAsync(
            "update operator_sessions set expires_at = now() where name = $1",
            "rita"
        );
        foreach (var tab in tabs)
            await IsOverAsync(tab, "Your session has ended.");
        await StreamsAsync(0);
    }

    [Test]
    public async Task All_tabs_learn_of_a_logout_in_one_of_them()
    {
        await using var viewer = await OpenAsync("lars");
        var tabs = await OpenTabsAsync(viewer, 3);
        await tabs[1].GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await tabs[1].WaitForURLAsync("**/login");
        await IsOverAsync(tabs[0], "Your session has ended.");
        await IsOverAsync(tabs[2], "Your session has ended.");
    }

    [Test]
    public async Task Two_logins_in_one_browser_share_nothing_and_the_earlier_one_does_not_go_on_as_the_later_one()
    {
        await using var viewer = await OpenAsync("emma");
        await OpenTabsAsync(viewer, 1);
        await viewer.Page.Context.ClearCookiesAsync();
        var other = await viewer.OpenTabAsync();
        await other.GotoAsync("/login");
        await other.GetByLabel("Name").FillAsync("erik");
        await other.GetByLabel("Password").FillAsync(Browsing.Password);
        await other.GetByRole(AriaRole.Button, new() { Name = "Log in" }).ClickAsync();
        await IsLiveAsync(other);
        await StreamsAsync(2);

        // The stream of the first ends, and would come back with the cookie of the second.
        await TestSystem.Database.ExecuteAsync(
            "update operator_sessions set expires_at = now() where name = $1",
            "emma"
        );
        await IsOverAsync(viewer.Page, "This browser has logged in again.");
        await other.GotoAsync("/queues");
        await IsLiveAsync(other);
        await StreamsAsync(1);
    }

    [Test]
    public async Task A_browser_without_shared_workers_has_a_stream_for_each_tab_that_is_seen()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.Context.AddInitScriptAsync("delete window.SharedWorker");
        var tabs = await OpenTabsAsync(viewer, 2);
        await StreamsAsync(2);
        await SetHiddenAsync(tabs[0], true);
        await StreamsAsync(1);
        await FiguresArriveAsync([tabs[1]]);
    }

    [Test]
    public async Task Tabs_come_back_by_one_stream_after_a_restart()
    {
        await using var viewer = await OpenAsync();
        var tabs = await OpenTabsAsync(viewer, 3);
        var port = Dashboard.Address.Port;
        await Dashboard.DisposeAsync();
        foreach (var tab in tabs)
            await Assertions.Expect(tab.Locator("#pulse")).ToHaveTextAsync(new Regex("^No data for [0-9]+ s$"), Soon);
        await RestartDashboardAsync(port);
        foreach (var tab in tabs)
            await IsLiveAsync(tab);
        await StreamsAsync(1);
    }

    // Attack: the viewer's clock is set back, and the dashboard is away.
    [Test]
    public async Task A_clock_that_was_set_back_does_not_pass_old_figures_off_as_live()
    {
        await using var viewer = await OpenAsync();
        await OpenTabsAsync(viewer, 1);
        await viewer.Page.EvaluateAsync("() => { const now = Date.now; Date.now = () => now() - 3600000; }");
        var port = Dashboard.Address.Port;
        await Dashboard.DisposeAsync();
        await Assertions
            .Expect(viewer.Page.Locator("#pulse"))
            .ToHaveTextAsync(new Regex("^No data for [0-9]+ s$"), Soon);
        await RestartDashboardAsync(port);
        await IsLiveAsync(viewer.Page);
    }

    private static Task IsLiveAsync(IPage tab) =>
        Assertions.Expect(tab.Locator("#pulse")).ToHaveTextAsync("Live", Soon);

    private static async Task IsOverAsync(IPage tab, string because)
    {
        await Assertions.Expect(tab.Locator("#pulse")).ToHaveTextAsync("Logged out", Soon);
        await Assertions.Expect(tab.Locator("#session")).ToContainTextAsync(because);
    }

    // Tabs of a headless browser are never hidden: the page is told so as a browser tells it.
    private static async Task SetHiddenAsync(IPage tab, bool hidden) =>
        await tab.EvaluateAsync(
            """
            hidden => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            }
            """,
            hidden
        );

    private async Task StreamsAsync(int expected) =>
        await Eventually.That(
            () => Dashboard.Services.GetRequiredService<LivePlaces>().Taken,
            Is.EqualTo(expected),
            "open streams",
            Minute
        );

    // One more message waits, and every tab says so.
    private async Task FiguresArriveAsync(IReadOnlyList<IPage> tabs)
    {
        var expected = await PublishAsync();
        foreach (var tab in tabs)
            await Assertions.Expect(tab.Locator(Ready)).ToHaveTextAsync(expected, Soon);
    }

    private async Task<string> PublishAsync()
    {
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(Guid.NewGuid()));
        return $"{++_published}";
    }

    private async Task<IReadOnlyList<IPage>> OpenTabsAsync(Viewer viewer, int count)
    {
        await Eventually.Is(
            () =>
                Task.FromResult(
                    Dashboard.Services.GetRequiredService<Orders.Dashboard.Live.Feed>().Current.Queue("hurried")
                        is not null
                ),
            "queues that the dashboard knows",
            Minute
        );
        List<IPage> tabs = [viewer.Page];
        while (tabs.Count < count)
            tabs.Add(await viewer.OpenTabAsync());
        foreach (var tab in tabs)
        {
            await tab.GotoAsync("/queues", new() { Timeout = 60_000 });
            await IsLiveAsync(tab);
        }

        return tabs;
    }
}
