using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs;

/// <summary>
/// Each relative link in a Markdown file leads to a file of the repository and, where it names a heading, to a heading
/// of that file. Pictures are links too.
/// </summary>
public sealed partial class LinkTests
{
    // Parts of the repository with pages of our own; bin, obj and node_modules are left out by name.
    private static readonly string[] Folders = ["docs", "bench", "demo", "deploy", "samples", "src"];

    private static IEnumerable<string> Pages =>
        Folders
            .SelectMany(folder => Repository.Find(folder, "*.md"))
            .Where(path => !path.Contains("/node_modules/", StringComparison.Ordinal))
            .Concat(Directory.EnumerateFiles(Repository.Root, "*.md").Select(path => Path.GetFileName(path)))
            .Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Pages))]
    public void Leads_somewhere(string page)
    {
        var broken = new List<string>();
        foreach (var target in Targets(Repository.Read(page)).Where(t => !Absolute().IsMatch(t)))
        {
            var (path, anchor) = target.Split('#', 2) is [var p, var a] ? (p, a) : (target, "");
            var file =
                path == "" ? page : Normalize(Path.Combine(Path.GetDirectoryName(page)!, Uri.UnescapeDataString(path)));
            if (
                !File.Exists(Path.Combine(Repository.Root, file))
                && !Directory.Exists(Path.Combine(Repository.Root, file))
            )
                broken.Add($"{target}: there is no file {file}");
            else if (
                anchor != ""
                && file.EndsWith(".md", StringComparison.Ordinal)
                && !Anchors(Repository.Read(file)).Contains(anchor)
            )
                broken.Add($"{target}: {file} has no heading of that name");
        }

        Assert.That(broken, Is.Empty, page);
    }

    [Test]
    public void A_heading_becomes_an_anchor_as_on_GitHub() =>
        Assert.That(
            Anchors(
                "# What is *sent*, when?\n\n## `./dev up` (twice)\n\n## `./dev up` (twice)\n\n```\n# no heading\n```\n"
            ),
            Is.EquivalentTo(["what-is-sent-when", "dev-up-twice", "dev-up-twice-1"])
        );

    [Test]
    public void A_link_is_found_in_each_form() =>
        Assert.That(
            Targets(
                "[a](a.md) [![b](b.png)](b.md#c) ![d](d.png \"D\") <img src=\"e.png\"> [f][g] `[no](no.md)`\n\n[g]: <g.md>\n[h]: h.md\n"
            ),
            Is.EquivalentTo(["a.md", "b.png", "b.md#c", "d.png", "e.png", "g.md", "h.md"])
        );

    [Test]
    public void Each_picture_is_one_and_is_shown()
    {
        var shown = Pages
            .SelectMany(page =>
                Targets(Repository.Read(page))
                    .Where(target => !Absolute().IsMatch(target))
                    .Select(target => Normalize(Path.Combine(Path.GetDirectoryName(page)!, target.Split('#')[0])))
            )
            .ToHashSet();
        var pictures = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "docs", "images"))
            .Select(path => $"docs/images/{Path.GetFileName(path)}")
            .ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(
                pictures.Where(p => !IsPicture(p)),
                Is.Empty,
                "files in docs/images that are no PNG, WebP or SVG"
            );
            Assert.That(pictures.Except(shown), Is.Empty, "pictures that no page shows");
        });
    }

    private static bool IsPicture(string path)
    {
        var start = File.ReadAllBytes(Path.Combine(Repository.Root, path)).AsSpan();
        return path.EndsWith(".svg", StringComparison.Ordinal)
            ? start.IndexOf("<svg"u8) >= 0
            : start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G'])
                || (start.StartsWith("RIFF"u8) && start[8..].StartsWith("WEBP"u8));
    }

    private static IEnumerable<string> Targets(string markdown) =>
        TargetsIn(InlineCode().Replace(Fence().Replace(markdown, ""), ""));

    // A picture may stand in the text of a link.
    private static IEnumerable<string> TargetsIn(string text) =>
        Link()
            .Matches(text)
            .SelectMany(m => TargetsIn(m.Groups["label"].Value).Append(m.Groups["target"].Value))
            .Concat(Attribute().Matches(text).Select(m => m.Groups[1].Value))
            .Concat(Definition().Matches(text).Select(m => m.Groups[1].Value));

    private static HashSet<string> Anchors(string markdown)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(Fence().Replace(markdown, "")))
        {
            var text = Link()
                .Replace(heading.Groups[1].Value, m => m.Value[1..m.Value.IndexOf(']', StringComparison.Ordinal)]);
            var name = NotInAnchors().Replace(text.Trim().ToLowerInvariant(), "").Replace(' ', '-');
            var unique = name;
            for (var n = 1; !anchors.Add(unique); n++)
                unique = $"{name}-{n}";
        }

        return anchors;
    }

    private static string Normalize(string path) =>
        Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, path))).Replace('\\', '/');

    [GeneratedRegex(@"^(?:[a-z][a-z0-9+.-]*:|//)", RegexOptions.IgnoreCase)]
    private static partial Regex Absolute();

    [GeneratedRegex(@"^(?<fence>```+|~~~+).*?^\k<fence>", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\[(?<label>(?:[^\[\]]|\[[^\]]*\])*)\]\(\s*<?(?<target>[^)\s>]+)>?(?:\s+""[^""]*"")?\s*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^\[[^\]^]+\]:\s*<?([^\s>]+)>?", RegexOptions.Multiline)]
    private static partial Regex Definition();

    [GeneratedRegex("<(?:a|img|source)\\s[^>]*?(?:href|src|srcset)=\"([^\"\\s]+)\"", RegexOptions.IgnoreCase)]
    private static partial Regex Attribute();

    [GeneratedRegex(@"^#{1,6} +(.+?)\s*#*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N}\p{M}_\- ]")]
    private static partial Regex NotInAnchors();
}
