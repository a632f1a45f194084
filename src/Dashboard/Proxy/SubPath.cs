using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Proxy;

/// <summary>
/// Lets the dashboard live below a path of another site, such as <c>/ops</c>. Pages and redirects name the dashboard's
/// own addresses, from <c>/</c>; what leaves it gets the path in front, in this one place (ADR 99).
/// </summary>
internal static partial class SubPath
{
    /// <summary>Puts the path in front of the address of each redirect.</summary>
    public static Task RedirectAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.PathBase.HasValue)
            context.Response.OnStarting(() =>
            {
                // Addresses of other sites stay: "//elsewhere" is one too.
                if (context.Response.Headers.Location.ToString() is ['/', not '/', ..] or "/")
                    context.Response.Headers.Location = context.Request.PathBase + context.Response.Headers.Location;
                return Task.CompletedTask;
            });
        return next(context);
    }

    /// <summary>Puts the path in front of each address in a page.</summary>
    /// <param name="page">As it was rendered: attributes in double quotes, and no such quote in a text.</param>
    /// <param name="path">The path, as the request has it.</param>
    public static string In(string page, PathString path)
    {
        var prefix = HtmlEncoder.Default.Encode(path.ToUriComponent().TrimEnd('/'));
        return Address().Replace(page, attribute => $"{attribute.Value}{prefix}");
    }

    [GeneratedRegex(
        @"\s(?:href|src|action|formaction|content|hx-get|hx-post)=""(?=/(?!/))",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Address();
}
