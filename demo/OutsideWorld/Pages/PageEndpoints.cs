using System.Reflection;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Orders.OutsideWorld.Pages;

/// <summary>
/// The pages for people: <c>/</c> and <c>/calls</c>. Rendered by Razor components, which escape whatever a mail says.
/// </summary>
internal static class PageEndpoints
{
    /// <summary>Far beyond any ledger, and small enough that no offset overflows.</summary>
    private const int LastPage = 1_000_000;

    private static readonly string Style = ReadStyle();

    /// <summary>
    /// Nothing runs and nothing is loaded from elsewhere, even if a mail should slip through the escaping.
    /// </summary>
    public static void UsePageSecurity(this WebApplication app) =>
        app.Use(
            (context, next) =>
            {
                var headers = context.Response.Headers;
                headers.ContentSecurityPolicy =
                    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                headers.XContentTypeOptions = "nosniff";
                headers["Referrer-Policy"] = "no-referrer";
                headers.CacheControl = "no-store";
                return next(context);
            }
        );

    public static void MapPages(this WebApplication app)
    {
        app.MapGet(
            "/",
            (IServiceProvider services, string? to, string? messageId, int page = 1) =>
                RenderAsync<MailsPage>(
                    services,
                    new()
                    {
                        ["Page"] = Math.Clamp(page, 1, LastPage),
                        ["To"] = to,
                        ["MessageId"] = messageId,
                    }
                )
        );
        app.MapGet(
            "/calls",
            (IServiceProvider services, int page = 1) =>
                RenderAsync<WarehousePage>(services, new() { ["Page"] = Math.Clamp(page, 1, LastPage) })
        );
        app.MapGet("/world.css", () => Results.Text(Style, "text/css; charset=utf-8"));
    }

    private static async Task<IResult> RenderAsync<TPage>(
        IServiceProvider services,
        Dictionary<string, object?> parameters
    )
        where TPage : IComponent
    {
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString()
        );
        return Results.Content(html, "text/html; charset=utf-8");
    }

    private static string ReadStyle()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("world.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
