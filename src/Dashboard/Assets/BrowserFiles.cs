using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;

namespace Orders.Dashboard.Assets;

/// <summary>
/// What the browser loads: our script, and the files of two npm packages, all of them inside the assembly. Each is
/// served under an address that contains its hash, compressed once, and may be kept for ever: a new version has another
/// address. The sheets stand in the pages themselves (<see cref="Sheet"/>).
/// </summary>
internal static class BrowserFiles
{
    private static readonly FrozenDictionary<string, BrowserFile> Files = Read();

    /// <summary>The address of a file.</summary>
    public static string AddressOf(string name) => $"/assets/{Files[name].Hash}/{name}";

    /// <summary>The text of a file.</summary>
    public static string TextOf(string name) =>
        System.Text.Encoding.UTF8.GetString(Files[name].Plain).ReplaceLineEndings("\n");

    /// <summary>
    /// Maps the files. They hold no secret and the login page needs them, so nobody has to be logged in.
    /// </summary>
    public static void MapBrowserFiles(this IEndpointRouteBuilder app)
    {
        app.MapGet(
                "/assets/{hash}/{name}",
                (string hash, string name, HttpContext http) =>
                {
                    if (!Files.TryGetValue(name, out var file) || file.Hash != hash)
                        return Results.NotFound();
                    http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                    http.Response.Headers.Vary = "Accept-Encoding";
                    if (!http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.Ordinal))
                        return Results.Bytes(file.Plain, file.Type);
                    http.Response.Headers.ContentEncoding = "br";
                    return Results.Bytes(file.Compressed, file.Type);
                }
            )
            .AllowAnonymous();
        // Browsers ask for it by themselves; the page's link says where it is.
        app.MapGet("/favicon.ico", () => Results.Redirect(AddressOf("icon.svg"))).AllowAnonymous();
    }

    private static FrozenDictionary<string, BrowserFile> Read()
    {
        const string Prefix = "browser/";
        var assembly = Assembly.GetExecutingAssembly();
        return assembly
            .GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(
                name => name[Prefix.Length..],
                name =>
                {
                    using var stream = assembly.GetManifestResourceStream(name)!;
                    using var plain = new MemoryStream();
                    stream.CopyTo(plain);
                    return BrowserFile.Of(name, plain.ToArray());
                },
                StringComparer.Ordinal
            );
    }

    private sealed record BrowserFile(string Type, string Hash, byte[] Plain, byte[] Compressed)
    {
        public static BrowserFile Of(string name, byte[] plain)
        {
            using var compressed = new MemoryStream();
            using (var brotli = new BrotliStream(compressed, CompressionLevel.SmallestSize))
                brotli.Write(plain);
            var type = Path.GetExtension(name) switch
            {
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            };
            return new BrowserFile(
                type,
                Convert.ToHexStringLower(SHA256.HashData(plain))[..12],
                plain,
                compressed.ToArray()
            );
        }
    }
}
