using System.Globalization;
using System.Text.RegularExpressions;
using QueueWorkers.Erasing;
using QueueWorkers.Steps;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// Why an attempt failed, as a client may know it: a stable code and a sentence. What was recorded names hosts, ports,
/// types and replies of systems that are no client's business; operators read it on the dashboard.
/// </summary>
/// <param name="Code">The stable code; docs/http-api.md lists them.</param>
/// <param name="Sentence">The same for people.</param>
internal sealed partial record ClientFault(string Code, string Sentence)
{
    private static readonly ClientFault Unknown = new(
        "outcome-unknown",
        "It is not known whether this was done. It is not repeated by itself; an operator looks into it."
    );
    private static readonly ClientFault Refused = new(
        "refused",
        "This was refused for good. An operator decides how it goes on."
    );
    private static readonly ClientFault Failed = new(
        "failed",
        "No attempt succeeded. An operator decides how it goes on."
    );
    private static readonly ClientFault Rejected = new("rejected", "The order could not be carried out.");
    private static readonly ClientFault TimedOut = new(
        "timed-out",
        "An attempt took too long and was stopped; another one follows by itself."
    );
    private static readonly ClientFault Recipient = new(
        "recipient-deferred",
        "The recipient's mail server takes no mail at the moment; another attempt follows by itself."
    );
    private static readonly ClientFault Unavailable = new(
        "unavailable",
        "Another system is not available at the moment; another attempt follows by itself."
    );

    private static readonly ClientFault NotReached = new(
        "not-reached",
        "The address could not be reached, or broke off."
    );
    private static readonly ClientFault NoAnswer = new("no-answer", "The address did not answer in time.");
    private static readonly ClientFault Redirected = new(
        "redirected",
        "The address answered with a redirect, which is never followed. Register the final address."
    );
    private static readonly ClientFault NotAllowed = new(
        "address-not-allowed",
        "The address leads to a network that web hooks may not reach."
    );

    /// <summary>
    /// Of a step of an order; null when no attempt has failed, when none follows because the step has ended well or
    /// will not be done, and when the fault was erased.
    /// </summary>
    public static ClientFault? OfStep(StepStatus status, string? recorded) =>
        recorded is null or ErasureSql.Erased
        || status is StepStatus.Done or StepStatus.Skipped or StepStatus.Cancelled or StepStatus.Expired
            ? null
            : status switch
            {
                StepStatus.Uncertain => Unknown,
                StepStatus.Rejected => Rejected,
                StepStatus.Failed => TypeOf(recorded) is "PermanentFaultException" ? Refused : Failed,
                _ => TypeOf(recorded) switch
                {
                    "StepTimeoutException" or "StepCancelledException" => TimedOut,
                    "RecipientDeferredException" => Recipient,
                    _ => Unavailable,
                },
            };

    /// <summary>
    /// Of a delivery to the client's own address; null when no attempt has failed. The status that the address answered
    /// with is the client's own.
    /// </summary>
    public static ClientFault? OfDelivery(string? recorded)
    {
        if (recorded is null or ErasureSql.Erased)
            return null;
        if (recorded.Contains("did not answer within", StringComparison.Ordinal))
            return NoAnswer;
        if (recorded.Contains("redirect", StringComparison.Ordinal))
            return Redirected;
        if (Answer().Match(recorded) is { Success: true } answer)
        {
            var status = int.Parse(answer.Groups[1].Value, CultureInfo.InvariantCulture);
            return new ClientFault("unexpected-answer", $"Expected 2xx from the address, found {status}.");
        }

        return TypeOf(recorded) is "PermanentFaultException" ? NotAllowed : NotReached;
    }

    private static string? TypeOf(string recorded) =>
        ExceptionType().Match(recorded) is { Success: true } type ? type.Groups[1].Value : null;

    [GeneratedRegex(@"^(\w+Exception): ", RegexOptions.CultureInvariant)]
    private static partial Regex ExceptionType();

    [GeneratedRegex(@"(?:, found|answered) ([1-5]\d\d)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Answer();
}
