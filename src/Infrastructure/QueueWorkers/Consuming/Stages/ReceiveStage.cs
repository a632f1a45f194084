using MassTransit;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Endpoints;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Makes a <see cref="StepRun"/> of a delivered message: its original id, its subject, the number of the attempt.
/// A crash here costs nothing: the message is not acked and is delivered again.
/// Next: <see cref="SkipStage{TStep}"/>.
/// </summary>
internal sealed class ReceiveStage<TStep>(EffectClaims claims)
    where TStep : class, IStep
{
    /// <summary>Begins a run of the message.</summary>
    /// <exception cref="PermanentFaultException">The message has no id.</exception>
    public StepRun Begin<T>(ConsumeContext<T> context)
        where T : class
    {
        var policy = TStep.Policy;
        // An id of zeros is none either: all that carry it would count as copies of one message.
        var id =
            context.GetOriginalMessageId() is { } given && given != Guid.Empty
                ? given
                : throw new PermanentFaultException(
                    $"The {typeof(T).Name} has no message id, so '{policy.Name}' cannot tell it from a copy; publish it with one."
                );
        var run = new StepRun(
            policy,
            id,
            context.CorrelationId ?? MessageSubject<T>.Of(context.Message) ?? id,
            context.ConversationId ?? id,
            (context.GetRedeliveryCount() * (policy.Retry.Count + 1)) + context.GetRetryAttempt() + 1,
            claims
        )
        {
            Priority = Deferral.ClassOf(context),
            DeferredSince = context.GetRetryAttempt() == 0 ? Deferral.SinceOf(context) : null,
            QueuedAt = Deferral.SentOf(context),
            Keys = key => context.ReceiveContext.TransportHeaders.Get<string>(MessageKeys.HeaderOf(key)),
        };
        if (policy.Compensations.Contains(typeof(T)))
            run.Compensate();
        return run;
    }
}
