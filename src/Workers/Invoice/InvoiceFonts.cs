using Orders.Workers.Invoice.Pdf;

namespace Orders.Workers.Invoice;

/// <summary>
/// The fonts of the invoice: Noto, from packages of Debian and Ubuntu. Noto Sans has Latin, Greek, Cyrillic and
/// Devanagari. The emoji, the Chinese, Japanese and Korean characters, and every other script have fonts of their own,
/// opened when a text first needs them.
/// </summary>
public sealed class InvoiceFonts
{
    private const string RegularFile = "NotoSans-Regular.ttf";
    private const string BoldFile = "NotoSans-Bold.ttf";
    private const string EmojiFile = "NotoColorEmoji.ttf";
    private const string ChineseFile = "NotoSansCJK-Regular.ttc";

    // Some scripts have a serif font only, Tibetan among them.
    private static readonly string[] EachScript = ["NotoSans*-Regular.ttf", "NotoSerif*-Regular.ttf"];

    private readonly FontFace _bold;
    private readonly Lazy<FontFace>[] _others;

    private InvoiceFonts(string directory)
    {
        Regular = new FontFace(Require(directory, RegularFile));
        _bold = new FontFace(Require(directory, BoldFile));
        string[] others =
        [
            Require(directory, EmojiFile),
            Require(directory, ChineseFile),
            .. EachScript
                .SelectMany(files =>
                    Directory
                        .EnumerateFiles(directory, files, SearchOption.AllDirectories)
                        .Order(StringComparer.Ordinal)
                )
                .Where(f => Path.GetFileName(f) != RegularFile),
        ];
        // PublicationOnly keeps no fault: a file that could not be opened once is opened again by the next attempt, not
        // remembered as unreadable for as long as the process lives.
        _others = System.Array.ConvertAll(
            others,
            f => new Lazy<FontFace>(() => new FontFace(f), LazyThreadSafetyMode.PublicationOnly)
        );
    }

    /// <summary>The files without which no invoice is written, and the packages that bring them.</summary>
    public static IReadOnlyList<(string File, string Package)> Needed { get; } =
    [
        (RegularFile, "fonts-noto-core"),
        (BoldFile, "fonts-noto-core"),
        (ChineseFile, "fonts-noto-cjk"),
        (EmojiFile, "fonts-noto-color-emoji"),
    ];

    /// <summary>The font of the text.</summary>
    internal FontFace Regular { get; }

    /// <summary>Opens the fonts.</summary>
    /// <exception cref="FileNotFoundException">One is missing.</exception>
    public static InvoiceFonts Load(string directory) => new(directory);

    /// <summary>Finds a font file; null when there is none.</summary>
    public static string? Find(string directory, string file) =>
        Directory.Exists(directory)
            ? Directory
                .EnumerateFiles(directory, file, SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)
                .FirstOrDefault()
            : null;

    /// <summary>
    /// The first font that has all characters of a cluster; the font of the text, which shows a box, when none has.
    /// </summary>
    internal FontFace For(ReadOnlySpan<char> cluster, bool bold)
    {
        var first = bold ? _bold : Regular;
        if (first.Covers(cluster))
            return first;
        foreach (var other in _others)
        {
            if (other.Value.Covers(cluster))
                return other.Value;
        }

        return first;
    }

    private static string Require(string directory, string file) =>
        Find(directory, file)
        ?? throw new FileNotFoundException(
            $"Expected {file} below '{directory}', found none; install the package {Needed.First(n => n.File == file).Package} or set Invoice__FontDirectory."
        );
}
