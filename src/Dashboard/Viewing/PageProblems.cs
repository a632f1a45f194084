using System.Diagnostics;
using Orders.Dashboard.Assets;
using Orders.Dashboard.Auth;
using QueueWorkers.GroupCommit;

namespace Orders.Dashboard.Viewing;

/// <summary>
/// What pages have around them: the headers that keep a browser strict, and an answer for what nobody else has
/// answered.
/// </summary>
internal sealed class PageProblems(RequestDelegate next, ILogger<PageProblems> log)
{
    private static readonly string Policy =
        $"default-src 'none'; script-src 'self'; style-src {Sheet.Source}; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            await next(context);
            return;
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The viewer is gone; there is nobody to answer.
        }
        catch (BadHttpRequestException malformed) when (!context.Response.HasStarted)
        {
            await AnswerAsync(
                context,
                malformed.StatusCode,
                malformed.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? $"A form may have at most {Form.MostBytes / 1024} KiB; nothing was changed."
                    : "The address or the form is malformed. Go back and try again; nothing was changed."
            );
        }
        catch (UnknownCredentialsBusyException busy) when (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = UnknownCredentialsBusyException.RetryAfter;
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, busy.Message);
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            var trace = (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();
            var away = DatabaseFault.MayPass(fault) || fault is TimeoutException;
            if (away)
            {
                DatabaseFaultMetrics.Count(fault);
                DashboardLog.DatabaseUnavailable(
                    log,
                    context.Request.Method,
                    context.Request.Path,
                    DatabaseFault.Explain(fault)
                );
                context.Response.Headers.RetryAfter = "2";
            }
            else
            {
                DashboardLog.UnexpectedFault(log, fault, context.Request.Method, context.Request.Path, trace);
            }

            await AnswerAsync(
                context,
                away ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status500InternalServerError,
                away
                    ? $"The database does not answer. {DatabaseFault.Explain(fault)} It is not known whether a change was made: look before you repeat it. Trace {trace}"
                    : $"Something went wrong on our side; it is logged. Trace {trace}"
            );
        }
    }

    // Plain text: whatever broke may break a page too.
    private static async Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync(text, CancellationToken.None);
    }
}
