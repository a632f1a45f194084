using Microsoft.Net.Http.Headers;
using Orders.Dashboard.Auth;
using QueueWorkers.GroupCommit;
using QueueWorkers.Messaging;

namespace Orders.Dashboard.Api.Problems;

/// <summary>
/// Makes a problem of whatever nobody else answered below <c>/api</c>: no key, a role too low, unknown addresses,
/// malformed bodies, a database that is away, our own faults. Pages have their own.
/// </summary>
internal sealed class ApiProblems(RequestDelegate next, ILogger<ApiProblems> log)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase))
        {
            await next(context);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (!IsUtf8(context.Request))
        {
            await OfStatus(StatusCodes.Status415UnsupportedMediaType).ExecuteAsync(context);
            return;
        }

        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; there is nobody to answer.
            return;
        }
        catch (BadHttpRequestException large)
            when (large.StatusCode == StatusCodes.Status413PayloadTooLarge && !context.Response.HasStarted)
        {
            await OfStatus(large.StatusCode).ExecuteAsync(context);
            return;
        }
        catch (BadHttpRequestException malformed) when (!context.Response.HasStarted)
        {
            await ApiProblem
                .Of(
                    malformed.StatusCode,
                    "bad-request",
                    "The request does not have the documented shape.",
                    malformed.InnerException?.Message ?? malformed.Message
                )
                .ExecuteAsync(context);
            return;
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            await OfFault(fault, context).ExecuteAsync(context);
            return;
        }

        var response = context.Response;
        if (response.StatusCode >= 400 && !response.HasStarted && response.ContentType is null)
            await OfStatus(response.StatusCode).ExecuteAsync(context);
    }

    // JSON is UTF-8 (RFC 8259). With a charset that it does not know, the framework would fail instead of refusing.
    private static bool IsUtf8(HttpRequest request) =>
        !MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        || type.Parameters.All(p =>
            !p.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(p.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        );

    private IResult OfFault(Exception fault, HttpContext context)
    {
        if (DatabaseFault.MayPass(fault))
        {
            DatabaseFaultMetrics.Count(fault);
            DashboardLog.DatabaseUnavailable(
                log,
                context.Request.Method,
                context.Request.Path,
                DatabaseFault.Explain(fault)
            );
            context.Response.Headers.RetryAfter = "2";
            return ApiProblem.Of(
                503,
                "unavailable",
                "The service cannot do this now.",
                $"{DatabaseFault.Explain(fault)} It is not known whether the request was carried out: look before you repeat it."
            );
        }

        if (fault is UnknownCredentialsBusyException)
        {
            context.Response.Headers.RetryAfter = UnknownCredentialsBusyException.RetryAfter;
            return ApiProblem.Of(
                503,
                "unavailable",
                "The service cannot do this now.",
                $"{fault.Message} Nothing was done; repeat the request."
            );
        }

        if (BrokerFault.IsUnavailable(fault))
        {
            context.Response.Headers.RetryAfter = "2";
            return ApiProblem.Of(
                503,
                "broker-away",
                "The service cannot do this now.",
                $"The broker cannot be reached: {fault.Message}"
            );
        }

        DashboardLog.UnexpectedFault(
            log,
            fault,
            context.Request.Method,
            context.Request.Path,
            ApiProblem.PresentTrace()
        );
        return ApiProblem.Of(
            500,
            "internal-error",
            "Something went wrong on our side.",
            "The fault is logged under the trace id."
        );
    }

    private static IResult OfStatus(int status) =>
        status switch
        {
            401 => ApiProblem.Of(
                401,
                "unauthorized",
                "A valid operator key is required.",
                "Send the header Authorization: Bearer, followed by an operator's key; on the demo it is ORDERS_OPERATOR_KEY in .env."
            ),
            403 => ApiProblem.Of(
                403,
                "missing-role",
                "The operator's role does not allow this.",
                "Ask somebody with a higher role (viewer, operator, admin); the attempt is in the audit record if it would have changed something."
            ),
            404 => ApiProblem.Of(
                404,
                "not-found",
                "There is nothing at this address.",
                "The addresses are listed in docs/http-api.md."
            ),
            405 => ApiProblem.Of(
                405,
                "method-not-allowed",
                "This address does not take this method.",
                "See the header Allow."
            ),
            413 => ApiProblem.Of(
                413,
                "body-too-large",
                "The body is larger than this address takes.",
                "A body may have at most 4 MiB: name fewer ids, or use a filter."
            ),
            415 => ApiProblem.Of(
                415,
                "unsupported-media-type",
                "The body must be application/json in UTF-8.",
                "Send Content-Type: application/json."
            ),
            _ => ApiProblem.Of(status, "refused", "The request was refused.", "See the status."),
        };
}
