using Orders.Architecture.Tests.Routes;
using Orders.Testing;

namespace Orders.Architecture.Tests.Docs;

/// <summary>
/// Each page of the dashboard has its pictures, each picture comes from the one command, and a page of the
/// documentation shows it.
/// </summary>
public sealed class PictureTests
{
    private const string Gallery = "docs/screenshots.md";
    private const string Folder = "docs/images/";
    private const string Camera = "tests/Dashboard.Tests/Pictures/ScreenshotTests.cs";
    private const int MostBytes = 150 * 1024;
    private const int MostBytesOfAll = 6 * 1024 * 1024;

    private static IEnumerable<string> Pictures =>
        Repository.Find("docs/images", "*.png").Concat(Repository.Find("docs/images", "*.webp"));

    // A page without its pictures: run ./dev screenshots, and add its line to the gallery.
    [Test]
    public async Task Each_page_of_the_dashboard_is_shown_in_light_in_dark_and_on_a_phone()
    {
        var pages = (await HostRoutes.OfAsync("dashboard"))
            .Where(route => DashboardPages.IsPage(route.Method, route.Path))
            .Select(route => DashboardPages.PictureOf(route.Path))
            .ToArray();
        Assert.That(pages, Is.Unique.And.Not.Empty, "names of the pictures, one for each route that is a page");
        Assert.That(
            pages.SelectMany(page => DashboardPages.Looks.Select(look => $"{Folder}{page}-{look}.webp")),
            Is.SubsetOf(Pictures),
            "pictures, one for each page and look"
        );
    }

    [TestCaseSource(nameof(Pictures))]
    public async Task Is_taken_by_the_command_and_shown_by_a_page(string picture)
    {
        if (picture.StartsWith("docs/images/invoices/", StringComparison.Ordinal))
            Assert.That(
                Repository.Read("tests/Workers.Tests/Invoice/InvoiceScriptTests.cs"),
                Does.Contain($"\"{Path.GetFileNameWithoutExtension(picture)}\""),
                $"{picture}: ./dev screenshots does not take it"
            );
        else
        {
            var look = DashboardPages.Looks.FirstOrDefault(look =>
                picture.EndsWith($"-{look}.webp", StringComparison.Ordinal)
            );
            Assert.That(look, Is.Not.Null, $"{picture}: expected NAME-LOOK.webp");
            var name = picture[Folder.Length..^$"-{look}.webp".Length];
            var pages = (await HostRoutes.OfAsync("dashboard"))
                .Where(route => DashboardPages.IsPage(route.Method, route.Path))
                .Select(route => DashboardPages.PictureOf(route.Path));
            Assert.That(
                pages.Contains(name) || Repository.Read(Camera).Contains($"\"{name}\"", StringComparison.Ordinal),
                $"{picture}: ./dev screenshots does not take it"
            );
            Assert.That(
                Repository.Read(Gallery),
                Does.Contain(picture["docs/".Length..]),
                $"{picture}: {Gallery} does not show it"
            );
        }

        var docs = Repository.Find("docs", "*.md").Append("README.md");
        Assert.That(
            docs.Any(page => Repository.Read(page).Contains(picture["docs/".Length..], StringComparison.Ordinal)),
            $"{picture}: no page shows it"
        );
    }

    // Everybody who clones the repository gets them, and each version of them.
    [Test]
    public void They_are_small()
    {
        var sizes = Pictures.ToDictionary(p => p, p => new FileInfo(Path.Combine(Repository.Root, p)).Length);
        Assert.That(
            sizes.Where(picture => picture.Value > MostBytes).Select(picture => picture.Key),
            Is.Empty,
            $"pictures of more than {MostBytes / 1024} KB"
        );
        Assert.That(sizes.Values.Sum(), Is.AtMost(MostBytesOfAll), "bytes of all pictures");
    }
}
