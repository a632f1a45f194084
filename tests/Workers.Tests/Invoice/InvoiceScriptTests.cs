using System.Diagnostics;
using System.Text.RegularExpressions;
using Orders.Workers.Invoice;
using Orders.Workers.Tests.Flow;

namespace Orders.Workers.Tests.Invoice;

/// <summary>
/// Names of every script, as a customer meets them: seen on the page, and copied from it. The pages are compared with
/// the pictures in docs/images/invoices. <c>./dev screenshots</c> writes those (ORDERS_TEST_PICTURES), and a person
/// looks at them.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed partial class InvoiceScriptTests
{
    private const string DifferentPicture =
        "the name; if the invoice was changed on purpose, run ./dev screenshots and look at the pictures";

    private static readonly (string Script, string Name)[] Names =
    [
        ("latin", "Zoë Łukasiewicz-Ångström"),
        ("greek", "Ελένη Παπαδοπούλου"),
        ("cyrillic", "Дмитрий Шостакович"),
        ("arabic", "محمد عبد الله الأحمد"),
        ("hebrew", "יוסף בן שושן"),
        ("devanagari", "श्रीकृष्ण क्षत्रिय हिन्दी"),
        ("thai", "สมชาย ใจดี น้ำผึ้ง"),
        ("cjk", "王小明 山田たろう 김민수"),
        ("emoji", "Ada 👩‍🚀🚀❤️🇩🇪"),
    ];

    // Further scripts come from the same packages, and vowel signs share the place of their letter.
    private static readonly string[] MoreNames =
    [
        "Nguyễn Thị Phương Thảo",
        "مُحَمَّد عَلاء",
        "نصرت فتح علی خان",
        "שָׁלוֹם לוי",
        "রবীন্দ্রনাথ ঠাকুর",
        "சுப்பிரமணிய பாரதி",
        "ქეთევან",
        "བསྟན་འཛིན",
        "Ramses 𓀀",
        "no glyph: \uE000",
    ];

    private static IEnumerable<TestCaseData> Pictures =>
        Names.Select(n => new TestCaseData(n.Script, n.Name).SetArgDisplayNames(n.Script));

    private static IEnumerable<string> CopiedNames => [.. Names.Select(n => n.Name), .. MoreNames];

    [TestCaseSource(nameof(CopiedNames))]
    public async Task A_name_copied_from_the_document_is_the_name(string name) =>
        Assert.That(await CopyAsync(Invoices.Document.Render(Invoices.Of(customer: name))), Does.Contain(name));

    [Test]
    public async Task A_name_that_is_broken_into_lines_is_broken_between_letters_as_people_see_them()
    {
        var text = await CopyAsync(
            Invoices.Document.Render(Invoices.Of(customer: string.Concat(Enumerable.Repeat("👩‍🚀", 60))))
        );

        Assert.That(Regex.Count(text, "👩‍🚀"), Is.EqualTo(60));
        Assert.That(
            text.Split('\n').Count(line => line.Contains("👩‍🚀", StringComparison.Ordinal)),
            Is.GreaterThan(1)
        );
    }

    [TestCase("Zoë 12", "Zoë 12")]
    [TestCase("יוסף כהן-לוי", "יול-ןהכ ףסוי")]
    [TestCase("שירות ACME 12 (בע)", ")עב( ACME 12 תוריש")]
    [TestCase("ACME שירות 12", "ACME 12 תוריש")]
    public void What_runs_from_right_to_left_is_turned_round_and_numbers_are_not(string text, string fromTheLeft) =>
        Assert.That(
            string.Concat(new InvoiceText(Invoices.Fonts).Shape(text).SelectMany(r => r.Clusters).Select(c => c.Text)),
            Is.EqualTo(fromTheLeft)
        );

    [TestCaseSource(nameof(Pictures))]
    public async Task A_name_looks_as_in_its_picture_and_not_as_in_another(string script, string name)
    {
        var page = await PaintAsync(Invoices.Document.Render(Invoices.Of(customer: name, lines: 3)));
        if (Environment.GetEnvironmentVariable("ORDERS_TEST_PICTURES") is { Length: > 0 } folder)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{script}.png"), page);

        var seen = Picture.Read(page);
        Assert.That(seen.LikenessTo(Stored(script)), Is.GreaterThan(0.9), DifferentPicture);
        foreach (var other in Names.Where(n => n.Script != script))
            Assert.That(seen.LikenessTo(Stored(other.Script)), Is.LessThan(0.8), $"likeness to {other.Script}");
    }

    [TestCase("arabic")]
    [TestCase("hebrew")]
    [TestCase("devanagari")]
    [TestCase("thai")]
    public async Task The_comparison_sees_letters_that_run_backwards(string script)
    {
        var name = string.Concat(Names.First(n => n.Script == script).Name.Reverse());
        var page = await PaintAsync(Invoices.Document.Render(Invoices.Of(customer: name, lines: 3)));

        Assert.That(Picture.Read(page).LikenessTo(Stored(script)), Is.LessThan(0.8));
    }

    private static Picture Stored(string script) =>
        Picture.Read(
            File.ReadAllBytes(Path.Combine(WorkerProcess.RepositoryRoot, "docs/images/invoices", $"{script}.png"))
        );

    // pdftotext marks where the direction changes; the marks are no part of a name.
    private static async Task<string> CopyAsync(byte[] pdf) =>
        DirectionMarks().Replace(System.Text.Encoding.UTF8.GetString(await RunAsync("pdftotext", pdf, "-", "-")), "");

    private static Task<byte[]> PaintAsync(byte[] pdf) =>
        RunAsync("pdftoppm", pdf, "-png", "-r", "96", "-H", "500", "-");

    private static async Task<byte[]> RunAsync(string tool, byte[] input, params string[] arguments)
    {
        using var process =
            Process.Start(
                new ProcessStartInfo(tool, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true }
            ) ?? throw new InvalidOperationException($"Expected to start {tool}.");
        var output = new MemoryStream();
        var read = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await read;
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"exit code of {tool}");
        return output.ToArray();
    }

    [GeneratedRegex("[\u200E\u200F\u202A-\u202E]")]
    private static partial Regex DirectionMarks();
}
