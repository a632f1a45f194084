using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Orders.Dashboard.Proxy;

namespace Orders.Dashboard.Viewing;

/// <summary>A page as an answer; its addresses begin with the path that the dashboard is below of, if there is one.</summary>
/// <param name="parameters">The component's parameters.</param>
/// <param name="status">The HTTP status.</param>
internal sealed class PageResult<TPage>(object parameters, int status) : IResult
    where TPage : IComponent
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var page = new RazorComponentResult<TPage>(parameters)
        {
            PreventStreamingRendering = true,
            StatusCode = status,
        };
        if (!httpContext.Request.PathBase.HasValue)
        {
            await page.ExecuteAsync(httpContext);
            return;
        }

        var body = httpContext.Response.Body;
        using var rendered = new MemoryStream();
        httpContext.Response.Body = rendered;
        try
        {
            await page.ExecuteAsync(httpContext);
        }
        finally
        {
            httpContext.Response.Body = body;
        }

        var text = System.Text.Encoding.UTF8.GetString(rendered.GetBuffer().AsSpan(0, (int)rendered.Length));
        await httpContext.Response.WriteAsync(
            SubPath.In(text, httpContext.Request.PathBase),
            httpContext.RequestAborted
        );
    }
}
