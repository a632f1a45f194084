using Orders.Dashboard.Api.Problems;
using QueueWorkers.Hosting.Borders;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// Refuses requests whose texts cannot be worked with (<see cref="IncomingText"/>), for pages and operator API alike.
/// Stands behind the authorization: whoever may not ask has nothing read.
/// </summary>
internal sealed class IncomingTexts(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        // Without an endpoint nobody reads anything.
        var problem = context.GetEndpoint() is null
            ? null
            : IncomingText.ProblemOfAddress(request) ?? await ProblemOfBodyAsync(request, context.RequestAborted);
        if (problem is null)
            await next(context);
        else if (request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
            await ApiProblem.InvalidParameter(problem).ExecuteAsync(context);
        else
            throw new BadHttpRequestException(problem);
    }

    private static async Task<string?> ProblemOfBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (Form.IsIn(request))
        {
            try
            {
                return IncomingText.ProblemOfForm(await request.ReadFormAsync(cancellationToken));
            }
            catch (Exception unreadable) when (unreadable is InvalidDataException or InvalidOperationException)
            {
                // A NUL, too many fields, a field that is too long.
                return "The form cannot be read.";
            }
        }

        if (
            !request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)
            || !request.HasJsonContentType()
        )
            return null;
        // In memory: the API's own limit of the body holds while it is read.
        var body = new MemoryStream();
        request.HttpContext.Response.RegisterForDispose(body);
        await request.Body.CopyToAsync(body, cancellationToken);
        var problem = IncomingText.ProblemOfJson(body.GetBuffer().AsSpan(0, (int)body.Length));
        body.Position = 0;
        request.Body = body;
        return problem;
    }
}
