using System.Net;
using Orders.Infrastructure.Webhooks;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Webhooks;

/// <summary>
/// What a web hook may be. Names are not resolved here: what they resolve to is checked at each connection, by the
/// webhook step. Refused here is what can never work.
/// </summary>
internal sealed class WebhookRules(WebhookOptions options)
{
    private const int LongestUrl = 2000;

    /// <summary>Checks a web hook.</summary>
    /// <returns>The address and the events; of use only when there are no errors.</returns>
    public (Uri? Url, IReadOnlyList<string> Events) Check(WebhookBody body, FieldErrors errors)
    {
        var url = CheckUrl(body.Url, errors);
        var events = body.Wanted ?? [.. WebhookEvents.All];
        if (events.Count == 0 || events.Except(WebhookEvents.All).Any())
            errors.Add("/events", $"must be some of {string.Join(", ", WebhookEvents.All)}");
        return (url, [.. WebhookEvents.All.Intersect(events)]);
    }

    private Uri? CheckUrl(string text, FieldErrors errors)
    {
        var schemes = options.AllowHttp ? "https or http" : "https";
        if (
            text.Length > LongestUrl
            || !Uri.TryCreate(text, UriKind.Absolute, out var url)
            // As it is stored and called: a letter beyond ASCII takes up to nine characters there.
            || url.AbsoluteUri.Length > LongestUrl
            || !(url.Scheme == Uri.UriSchemeHttps || (options.AllowHttp && url.Scheme == Uri.UriSchemeHttp))
            || url.UserInfo.Length > 0
            || url.Fragment.Length > 0
            || url.HostNameType is UriHostNameType.Unknown or UriHostNameType.Basic
        )
        {
            errors.Add(
                "/url",
                $"must be an absolute {schemes} address of at most {LongestUrl} characters (letters beyond ASCII count as they are encoded), without user name and fragment"
            );
            return null;
        }

        var isRefused = IPAddress.TryParse(url.IdnHost.Trim('[', ']'), out var address)
            ? !options.Addresses.IsAllowed(address)
            : IsLocalName(url.IdnHost) && !options.Addresses.IsAllowed(IPAddress.Loopback);
        if (isRefused)
            errors.Add("/url", "must be an address in the internet: private and local ones are refused");
        return url;
    }

    private static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
