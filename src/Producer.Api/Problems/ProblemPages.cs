using Orders.Producer.Api.Auth;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting.Borders;

namespace Orders.Producer.Api.Problems;

/// <summary>
/// Makes a problem of what nobody else answered: unknown addresses, wrong methods, broken requests, a database that is
/// away, our own faults.
/// </summary>
internal sealed class ProblemPages(RequestDelegate next, UnavailableLog unavailable, ILogger<ProblemPages> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            if (IncomingText.ProblemOfAddress(context.Request) is { } unreadable)
                await new Problem(ProblemKinds.InvalidParameter, unreadable).AnswerAsync(context);
            else
                await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone; there is nobody to answer.
            return;
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            var kind = ProblemKinds.OfStatus(exception.StatusCode);
            await new Problem(kind, "The request broke off or exceeds a limit of the server.").AnswerAsync(context);
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await OfFault(exception, context).AnswerAsync(context);
            return;
        }

        var response = context.Response;
        if (
            response.StatusCode >= 400
            && !response.HasStarted
            && response.ContentType is null
            && response.ContentLength is null
        )
            await OfStatus(context).AnswerAsync(context);
    }

    private Problem OfFault(Exception exception, HttpContext context)
    {
        if (exception is KeysBusyException)
            return Unavailable.KeysBusy();
        if (DatabaseFault.MayPass(exception))
        {
            DatabaseFaultMetrics.Count(exception);
            unavailable.Say(log, context.Request.Method, exception);
            return Unavailable.Database();
        }

        var trace = Problem.PresentTrace();
        ApiLog.UnexpectedFault(log, exception, context.Request.Method, trace);
        return new Problem(ProblemKinds.InternalError, "The fault is logged under the trace id.", TraceId: trace);
    }

    private static Problem OfStatus(HttpContext context)
    {
        var kind = ProblemKinds.OfStatus(context.Response.StatusCode);
        var detail = kind.Status switch
        {
            404 => "The addresses are listed at /docs.",
            405 => $"Allowed here: {context.Response.Headers.Allow}.",
            _ => kind.Title,
        };
        return new Problem(kind, detail);
    }
}
