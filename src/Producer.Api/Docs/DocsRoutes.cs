using Scalar.AspNetCore;

namespace Orders.Producer.Api.Docs;

/// <summary>
/// The description of the API at <c>/openapi/v1.json</c> and as pages at <c>/docs</c>. Everything comes from this
/// process; the policy makes the browser insist.
/// </summary>
internal static class DocsRoutes
{
    // Scalar's page has one inline script and inline styles of its own.
    private const string OnlyFromHere =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Maps the description and the pages.</summary>
    public static void MapDocs(this WebApplication app)
    {
        app.MapGet("/openapi/{documentName}.json", DescribeAsync).ExcludeFromDescription().AllowAnonymous();
        app.MapScalarApiReference(
                "/docs",
                options =>
                    options
                        .WithTitle("Orders")
                        .DisableDefaultFonts()
                        .DisableAgent()
                        .DisableMcp()
                        .DisableTelemetry()
                        .AddPreferredSecuritySchemes(ApiDescription.SecurityScheme)
            )
            .AllowAnonymous();
        app.UseWhen(
            context => context.Request.Path.StartsWithSegments("/docs"),
            docs =>
                docs.Use(
                    (context, next) =>
                    {
                        context.Response.Headers.ContentSecurityPolicy = OnlyFromHere;
                        return next(context);
                    }
                )
        );
    }

    private static async Task DescribeAsync(HttpContext context)
    {
        if (context.Request.RouteValues["documentName"] is not ApiDescription.Document)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var text = await context.RequestServices.GetRequiredService<DescriptionText>().ReadAsync();
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = text.Length;
        await context.Response.Body.WriteAsync(text, context.RequestAborted);
    }
}
