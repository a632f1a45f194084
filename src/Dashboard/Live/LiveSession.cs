using System.Security.Cryptography;
using System.Text;
using Orders.Dashboard.Login;

namespace Orders.Dashboard.Live;

/// <summary>
/// Names a session in the address of its stream, so that the pages of one session share a stream and those of another
/// session of the same browser do not. The name opens nothing: the cookie does.
/// </summary>
internal static class LiveSession
{
    private const string Field = "of";
    private const int Size = 12;

    /// <summary>The address of the stream for the pages of the request's session.</summary>
    public static string AddressFor(HttpContext http) => $"/live?{Field}={NameOf(http)}";

    /// <summary>Whether the request is of the session that its address names, or names none.</summary>
    public static bool IsOf(HttpContext http) =>
        http.Request.Query[Field].ToString() is var named && (named == "" || named == NameOf(http));

    private static string NameOf(HttpContext http) =>
        Convert.ToHexStringLower(
            HMACSHA256.HashData(Encoding.ASCII.GetBytes(SessionCookie.SecretOf(http) ?? ""), "live"u8).AsSpan(0, Size)
        );
}
