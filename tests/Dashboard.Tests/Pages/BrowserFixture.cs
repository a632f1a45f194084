using Microsoft.Playwright;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>A fixture with a dashboard that people look at.</summary>
internal abstract class BrowserFixture : DashboardFixture
{
    [OneTimeSetUp]
    public Task GivePasswordsAsync() => Browsing.GivePasswordsAsync(TestSystem);

    /// <summary>A browser that is logged in, see <see cref="Browsing.OpenAsync"/>.</summary>
    protected Task<Viewer> OpenAsync(
        string name = "anna",
        ColorScheme scheme = ColorScheme.Light,
        int width = 1440,
        int height = 900
    ) => Browsing.OpenAsync(Dashboard.Address, name, scheme, width, height);
}
