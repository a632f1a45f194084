using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;

namespace Orders.Dashboard.Assets;

/// <summary>
/// Our style sheet and the charts', in each page instead of beside it: a first visit then takes one round trip to its
/// first paint and not two. The content security policy names the hash of exactly this text, so that no other inline
/// style is applied; anything that somebody might smuggle in has another hash.
/// </summary>
internal static class Sheet
{
    private static readonly string Css = BrowserFiles.TextOf("uplot.css") + BrowserFiles.TextOf("app.css");

    /// <summary>The text between the tags.</summary>
    public static MarkupString Text { get; } = new(Css);

    /// <summary>Its source expression for <c>style-src</c>.</summary>
    public static string Source { get; } =
        $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Css)))}'";
}
