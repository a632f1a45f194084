using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Orders.Workers.Invoice.Pdf;

/// <summary>
/// The order of mixed left-to-right and right-to-left text (Unicode Bidirectional Algorithm, UAX #9), from the library
/// FriBidi, which the package libfribidi0 brings.
/// </summary>
internal static partial class FriBidi
{
    private const string Library = "fribidi";
    private const uint DirectionOfFirstLetter = 0x40;
    private const int FirstRightToLeftCharacter = 0x590;

    private static readonly string[] Names = ["libfribidi.so.0", "libfribidi.0.dylib", "fribidi-0.dll"];

    static FriBidi() => NativeLibrary.SetDllImportResolver(typeof(FriBidi).Assembly, Resolve);

    /// <summary>Whether the library can be loaded.</summary>
    public static bool IsInstalled => TryLoad(out _);

    /// <summary>
    /// The embedding level of each character: odd levels run from right to left. Empty when every level is 0.
    /// </summary>
    public static sbyte[] Levels(IReadOnlyList<Rune> text)
    {
        if (text.All(r => r.Value < FirstRightToLeftCharacter))
            return [];
        var characters = new uint[text.Count];
        for (var i = 0; i < characters.Length; i++)
            characters[i] = (uint)text[i].Value;
        var (types, brackets, levels) = (
            new uint[characters.Length],
            new uint[characters.Length],
            new sbyte[characters.Length]
        );
        GetTypes(characters, characters.Length, types);
        GetBrackets(characters, characters.Length, types, brackets);
        var direction = DirectionOfFirstLetter;
        // 0 says that the library got no memory.
        return GetLevels(types, brackets, characters.Length, ref direction, levels) == 0
            ? throw new InvalidOperationException(
                $"Expected FriBidi to order {characters.Length} characters, it failed."
            )
            : levels;
    }

    [LibraryImport(Library, EntryPoint = "fribidi_get_bidi_types")]
    private static partial void GetTypes(uint[] characters, int length, [Out] uint[] types);

    [LibraryImport(Library, EntryPoint = "fribidi_get_bracket_types")]
    private static partial void GetBrackets(uint[] characters, int length, uint[] types, [Out] uint[] brackets);

    [LibraryImport(Library, EntryPoint = "fribidi_get_par_embedding_levels_ex")]
    private static partial sbyte GetLevels(
        uint[] types,
        uint[] brackets,
        int length,
        ref uint direction,
        [Out] sbyte[] levels
    );

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && TryLoad(out var library) ? library : 0;

    private static bool TryLoad(out nint library)
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out library))
                return true;
        }

        library = 0;
        return false;
    }
}
