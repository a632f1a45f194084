using Orders.Workers.Invoice.Pdf;

namespace Orders.Workers.Invoice;

/// <summary>
/// The fonts of the invoice, both in packages of Debian and Ubuntu: DejaVu Sans has Latin, Vietnamese, Greek and
/// Cyrillic, WenQuanYi Micro Hei the Chinese, Japanese and Korean characters. Each file is read and parsed once per
/// process, the second one only when a name needs it.
/// </summary>
public sealed class InvoiceFonts
{
    private const string RegularFile = "DejaVuSans.ttf";
    private const string BoldFile = "DejaVuSans-Bold.ttf";
    private const string FallbackFile = "wqy-microhei.ttc";

    private readonly Lazy<TrueTypeFont> _fallback;

    private InvoiceFonts(string directory)
    {
        Regular = Read(directory, RegularFile);
        Bold = Read(directory, BoldFile);
        // PublicationOnly keeps no fault: a file that could not be read once is read again by the next attempt, not
        // remembered as unreadable for as long as the process lives.
        _fallback = new(() => Read(directory, FallbackFile), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>The files and the packages that bring them.</summary>
    public static IReadOnlyList<(string File, string Package)> Needed { get; } =
    [(RegularFile, "fonts-dejavu-core"), (BoldFile, "fonts-dejavu-core"), (FallbackFile, "fonts-wqy-microhei")];

    /// <summary>The font of the text.</summary>
    public TrueTypeFont Regular { get; }

    /// <summary>The font of what stands out.</summary>
    public TrueTypeFont Bold { get; }

    /// <summary>The font for characters that the others do not have.</summary>
    public TrueTypeFont Fallback => _fallback.Value;

    /// <summary>Loads the fonts.</summary>
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

    private static TrueTypeFont Read(string directory, string file)
    {
        var path =
            Find(directory, file)
            ?? throw new FileNotFoundException(
                $"Expected {file} below '{directory}', found none; install the package {Needed.First(n => n.File == file).Package} or set Invoice__FontDirectory."
            );
        Failpoint.Hit("invoice.before_read_font", Outside.File);
        return new TrueTypeFont(Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(path));
    }
}
