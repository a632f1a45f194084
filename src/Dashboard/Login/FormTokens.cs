using System.Security.Cryptography;
using System.Text;
using Orders.Dashboard.Viewing;

namespace Orders.Dashboard.Login;

/// <summary>
/// Antiforgery: every form carries a token that is derived from the session's secret, which another site cannot know.
/// It needs no state and no key of the process, so a form that was open while the dashboard restarted can still be
/// sent.
/// </summary>
internal static class FormTokens
{
    /// <summary>The name of the form field.</summary>
    public const string Field = "_token";

    private const int Size = 32;

    /// <summary>
    /// A token of the request's session. Masked differently each time, so that compressing a page tells nothing about
    /// it.
    /// </summary>
    public static string Of(HttpContext http)
    {
        var mask = RandomNumberGenerator.GetBytes(Size);
        return Convert.ToHexStringLower([.. mask, .. Masked(Secret(http), mask)]);
    }

    /// <summary>Lets a POST through that carries the token.</summary>
    public static async ValueTask<object?> CheckAsync(
        EndpointFilterInvocationContext context,
        EndpointFilterDelegate next
    )
    {
        var http = context.HttpContext;
        if (HttpMethods.IsPost(http.Request.Method))
        {
            var given = Form.IsIn(http.Request)
                ? (await http.Request.ReadFormAsync(http.RequestAborted))[Field].ToString()
                : "";
            if (!IsRight(given, http))
                return Page.Of<Layout.Message>(
                    new
                    {
                        Title = "The form is out of date",
                        Detail = "It was made for another session. Go back, load the page again and repeat. Nothing was changed.",
                    },
                    StatusCodes.Status400BadRequest
                );
        }

        return await next(context);
    }

    private static bool IsRight(string given, HttpContext http)
    {
        if (given.Length != 4 * Size || !given.All(char.IsAsciiHexDigit))
            return false;
        var bytes = Convert.FromHexString(given);
        return CryptographicOperations.FixedTimeEquals(Masked(bytes[Size..], bytes[..Size]), Secret(http));
    }

    private static byte[] Secret(HttpContext http) =>
        HMACSHA256.HashData(Encoding.ASCII.GetBytes(SessionCookie.SecretOf(http) ?? ""), "form"u8);

    private static byte[] Masked(byte[] text, byte[] mask) => [.. text.Zip(mask, (t, m) => (byte)(t ^ m))];

    /// <summary>
    /// Whether a browser says that a request comes from another site. Guards the login, which has no session yet.
    /// Browsers that do not send <c>Sec-Fetch-Site</c>, or not over plain HTTP, send <c>Origin</c>. A client that sends
    /// neither is no browser, and no other site can act through it.
    /// </summary>
    public static bool IsFromElsewhere(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
            return site is not ("same-origin" or "none");
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin)
            return false;
        // A proxy may pass the host on without its port.
        return !Uri.TryCreate(origin, UriKind.Absolute, out var from)
            || !from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
                && !(from.Host.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
