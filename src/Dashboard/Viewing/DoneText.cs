using System.Security.Cryptography;
using System.Text;
using Orders.Dashboard.Login;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// What was done, for the page that comes next: it travels in the address, with a proof that only the session's secret
/// can make. A link of somebody else cannot put words into the dashboard's mouth.
/// </summary>
internal static class DoneText
{
    private const string Field = "done";
    private const string Proof = "proof";

    /// <summary>The address of a page that says what was done.</summary>
    public static string Address(HttpContext http, string address, string text) =>
        $"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{Field}={Uri.EscapeDataString(text)}&{Proof}={Convert.ToHexStringLower(ProofOf(http, text))}";

    /// <summary>What the page's address says was done; null when it says nothing, or somebody else wrote it.</summary>
    public static string? In(HttpContext http)
    {
        var query = http.Request.Query;
        return
            query[Field] is [{ Length: > 0 } text]
            && query[Proof] is [{ Length: 2 * HMACSHA256.HashSizeInBytes } proof]
            && proof.All(char.IsAsciiHexDigit)
            && CryptographicOperations.FixedTimeEquals(Convert.FromHexString(proof), ProofOf(http, text))
            ? text
            : null;
    }

    private static byte[] ProofOf(HttpContext http, string text) =>
        HMACSHA256.HashData(
            Encoding.ASCII.GetBytes(SessionCookie.SecretOf(http) ?? ""),
            Encoding.UTF8.GetBytes($"done {text}")
        );
}

/// <summary>Leads to a page that says what was done.</summary>
internal sealed class DoneResult(string address, string text) : IResult
{
    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext) =>
        Results.Redirect(DoneText.Address(httpContext, address, text)).ExecuteAsync(httpContext);
}
