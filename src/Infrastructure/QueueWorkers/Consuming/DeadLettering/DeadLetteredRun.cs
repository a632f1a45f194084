using System.Reflection;
using System.Text.Json.Nodes;
using MassTransit;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.DeadLettering;

/// <summary>
/// What the index of failures keeps of a message that a step gives up: the worker knows more of it than the copy in
/// <c>_error</c> will say.
/// </summary>
internal static class DeadLetteredRun
{
    private const int LongestText = 4000;

    private static readonly string? Build = Assembly
        .GetEntryAssembly()
        ?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion;

    public static DeadLetter Of(ConsumeContext context, StepRun run, Exception fault)
    {
        var received = context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>();
        var found = DeadLetter.Of($"{run.Step}_error", received.Properties, context.ReceiveContext.Body.GetBytes());
        return found with
        {
            Headers = WithLastAttempt(found.Headers, context),
            // Not in the queue yet: it is moved there after this is committed.
            Copies = 0,
            Identity = run.MessageId,
            MessageId = run.MessageId,
            SubjectId = run.SubjectId,
            FaultType = StorableText.Of(fault.GetType().FullName ?? fault.GetType().Name, 500),
            FaultMessage = StorableText.Of(PersonalText.Of(fault.Message), LongestText),
            Stack = StorableText.OfNullable(FaultFingerprint.Normalise(fault.StackTrace), 8000),
            Attempts = run.Attempt,
            At = DatabaseClock.UtcNow,
            Build = Build,
            Host = Environment.MachineName,
        };
    }

    // As it will stand in the queue: what is redriven is linked to the attempt that gave it up.
    private static string WithLastAttempt(string headers, ConsumeContext context)
    {
        if (LastAttempt.HeaderOf(context.ReceiveContext) is not { } attempt)
            return headers;
        var json = JsonNode.Parse(headers)!.AsObject();
        json[TraceHeaders.LastAttempt] = attempt;
        return json.ToJsonString();
    }
}
