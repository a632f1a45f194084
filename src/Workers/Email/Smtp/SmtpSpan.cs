using System.Diagnostics;
using Orders.Smtp;
using QueueWorkers.GroupCommit;
using QueueWorkers.Telemetry;

namespace Orders.Workers.Email.Smtp;

/// <summary>Spans of what is done at the mail server. They name the server and neither mail nor recipient.</summary>
internal static class SmtpSpan
{
    /// <summary>Begins one; null when nobody listens or the run is not sampled.</summary>
    public static Activity? Begin(string name, SmtpOptions server)
    {
        var span = QueueWorkersTelemetry.Source.StartActivity(name, ActivityKind.Client);
        if (span is not { IsAllDataRequested: true })
            return span;
        span.SetTag("network.protocol.name", "smtp");
        span.SetTag("server.address", server.Host);
        span.SetTag("server.port", server.Port);
        return span;
    }

    /// <summary>Says why it failed.</summary>
    public static void Fail(Activity? span, Exception fault)
    {
        if (span is not { IsAllDataRequested: true })
            return;
        span.SetTag("error.type", fault.GetType().FullName);
        span.SetStatus(ActivityStatusCode.Error, PersonalText.Of(fault.Message));
    }

    /// <summary>Says that nobody knows whether the server has accepted the mail.</summary>
    public static void SetUnknown(Activity? span) =>
        span?.SetStatus(ActivityStatusCode.Error, "The reply was lost; nobody knows whether the mail was accepted.");
}
