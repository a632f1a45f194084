using System.Runtime.InteropServices;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// Functions of the HarfBuzz library that HarfBuzzSharp brings but does not wrap: hb-subset, and the pictures of colour
/// fonts. Names and meaning are HarfBuzz's own (hb-subset.h, hb-ot-color.h).
/// </summary>
internal static partial class HarfBuzzNative
{
    public const uint SubsetNoHinting = 0x01;
    public const uint SubsetNotdefOutline = 0x40;
    public const uint SubsetNoLayoutClosure = 0x200;

    /// <summary>HB_SUBSET_SETS_DROP_TABLE_TAG.</summary>
    public const int SetOfDroppedTables = 3;

    private const string Library = "libHarfBuzzSharp";

    [LibraryImport(Library, EntryPoint = "hb_subset_input_create_or_fail")]
    public static partial nint CreateInput();

    [LibraryImport(Library, EntryPoint = "hb_subset_input_destroy")]
    public static partial void DestroyInput(nint input);

    [LibraryImport(Library, EntryPoint = "hb_subset_input_set_flags")]
    public static partial void SetFlags(nint input, uint flags);

    [LibraryImport(Library, EntryPoint = "hb_subset_input_glyph_set")]
    public static partial nint GlyphSet(nint input);

    [LibraryImport(Library, EntryPoint = "hb_subset_input_set")]
    public static partial nint Set(nint input, int set);

    [LibraryImport(Library, EntryPoint = "hb_subset_input_old_to_new_glyph_mapping")]
    public static partial nint GlyphMapping(nint input);

    [LibraryImport(Library, EntryPoint = "hb_subset_or_fail")]
    public static partial nint Subset(nint face, nint input);

    [LibraryImport(Library, EntryPoint = "hb_subset_preprocess")]
    public static partial nint Preprocess(nint face);

    [LibraryImport(Library, EntryPoint = "hb_set_add")]
    public static partial void Add(nint set, uint value);

    [LibraryImport(Library, EntryPoint = "hb_map_set")]
    public static partial void Put(nint map, uint key, uint value);

    [LibraryImport(Library, EntryPoint = "hb_face_reference_blob")]
    public static partial nint ReferenceBlob(nint face);

    [LibraryImport(Library, EntryPoint = "hb_face_reference_table")]
    public static partial nint ReferenceTable(nint face, uint tag);

    [LibraryImport(Library, EntryPoint = "hb_face_destroy")]
    public static partial void DestroyFace(nint face);

    [LibraryImport(Library, EntryPoint = "hb_ot_color_glyph_reference_png")]
    public static partial nint ReferencePng(nint font, uint glyph);

    [LibraryImport(Library, EntryPoint = "hb_blob_get_data")]
    private static partial nint BlobData(nint blob, out uint length);

    [LibraryImport(Library, EntryPoint = "hb_blob_destroy")]
    private static partial void DestroyBlob(nint blob);

    /// <summary>Copies a blob and gives it back.</summary>
    public static byte[] TakeBytes(nint blob)
    {
        try
        {
            var data = BlobData(blob, out var length);
            var bytes = new byte[length];
            if (length > 0)
                Marshal.Copy(data, bytes, 0, bytes.Length);
            return bytes;
        }
        finally
        {
            DestroyBlob(blob);
        }
    }
}
