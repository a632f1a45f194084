using System.Diagnostics;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Redrive.Payloads;

namespace Orders.Dashboard.Api.Problems;

/// <summary>
/// Refusals of the operator API (RFC 9457). Scripts switch on the code, the last part of the type, so a code never
/// changes its meaning.
/// </summary>
internal static class ApiProblem
{
    public static IResult InvalidParameter(string detail) =>
        Of(400, "invalid-parameter", "A parameter is not valid.", detail);

    public static IResult NotFound(string detail) => Of(404, "not-found", "There is no such thing.", detail);

    public static IResult Conflict(string code, string detail) =>
        Of(409, code, "The state does not allow this.", detail);

    public static IResult Unprocessable(string code, string detail) =>
        Of(422, code, "This is understood but cannot be done.", detail);

    /// <summary>Runs an action and makes problems of what an operator can fix.</summary>
    public static async Task<IResult> GuardAsync(Func<Task<IResult>> action)
    {
        try
        {
            return await action();
        }
        catch (InvalidFilterException invalid)
        {
            return Of(400, "invalid-filter", "The filter cannot be used.", invalid.Message);
        }
        catch (InvalidPayloadException invalid)
        {
            return Unprocessable("invalid-payload", invalid.Message);
        }
    }

    /// <summary>Any problem.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">The stable code.</param>
    /// <param name="title">The same sentence for every problem of the code.</param>
    /// <param name="detail">What was expected, what was found, what to change.</param>
    /// <param name="more">Further members, such as the id of what is in the way.</param>
    public static IResult Of(
        int status,
        string code,
        string title,
        string detail,
        params IEnumerable<(string Name, object? Value)> more
    )
    {
        var extensions = more.ToDictionary(m => m.Name, m => m.Value);
        extensions["traceId"] = PresentTrace();
        return Results.Problem(
            detail,
            statusCode: status,
            title: title,
            type: "urn:problem:orders:" + code,
            extensions: extensions
        );
    }

    /// <summary>
    /// The id of the present trace; a new one where nobody traces, so that there is something to tell all the same.
    /// </summary>
    public static string PresentTrace() => (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();
}
