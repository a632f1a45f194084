namespace Orders.Architecture.Tests.Docs;

/// <summary>Each picture comes from the one command, and a page shows it.</summary>
public sealed class PictureTests
{
    private static IEnumerable<string> Pictures => Repository.Find("docs/images", "*.png");

    [TestCaseSource(nameof(Pictures))]
    public void Is_taken_by_the_command_and_shown_by_a_page(string picture)
    {
        var name = Path.GetFileNameWithoutExtension(picture);
        Assert.That(
            Repository.Read(
                picture.StartsWith("docs/images/invoices/", StringComparison.Ordinal)
                    ? "tests/Workers.Tests/Invoice/InvoiceScriptTests.cs"
                    : "tests/Dashboard.Tests/Pages/ScreenshotTests.cs"
            ),
            Does.Contain($"\"{name}\"").Or.Contain($"\"{name}.png\""),
            $"{picture}: ./dev screenshots does not take it"
        );
        var pages = Repository.Find("docs", "*.md").Append("README.md");
        Assert.That(
            pages.Any(page => Repository.Read(page).Contains(picture["docs/".Length..], StringComparison.Ordinal)),
            $"{picture}: no page shows it"
        );
    }
}
