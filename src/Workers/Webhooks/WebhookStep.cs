using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Clocks;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Workers.Webhooks;

/// <summary>
/// Delivers an event to a client's web hook. No claim is needed: the receiver knows a repeated call by
/// <c>webhook-id</c>, which is the delivery's id. Its subject is the delivery, so no order waits for it.
/// There is no <see cref="StepPolicy.DependsOn"/>: its breaker would let one client's broken address stop the
/// deliveries of all. <see cref="WebhookGate"/> tells the addresses apart.
/// </summary>
public sealed class WebhookStep(WebhookTargetReader deliveries, WebhookClient client, WebhookGate gate)
    : IConsumer<WebhookDue>,
        IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy =>
        new("webhook")
        {
            IsRequired = false,
            Redelivery = Redelivery.After(
                TimeSpan.FromSeconds(5),
                TimeSpan.FromMinutes(1),
                TimeSpan.FromMinutes(5),
                TimeSpan.FromMinutes(30),
                TimeSpan.FromHours(2),
                TimeSpan.FromHours(6),
                TimeSpan.FromHours(12)
            ),
            Concurrency = 40,
            Timeout = TimeSpan.FromSeconds(25),
            Grants = WebhookTargetReader.Grants,
        };

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<WebhookDue> context)
    {
        var step = context.Step();
        var call =
            await deliveries.FindAsync(context.Message.DeliveryId, step.Effect.Name, context.CancellationToken)
            ?? throw new PermanentFaultException(
                $"Expected delivery {context.Message.DeliveryId} in webhook_deliveries, found none: it was purged (Retention__WebhookDeliveries), or the database was restored from an older backup. Then discard the message."
            );
        if (call.IsDone)
            return;
        if (call.Url is null)
        {
            step.Reject("The client has removed the web hook.");
            return;
        }

        var pass = gate.TryEnter(call.WebhookId);
        if (pass.Wait is { } wait)
            throw Later(call.Url, pass, wait, context.DeferredSince());
        try
        {
            await client.PostAsync(call, call.Url, context.CancellationToken);
            gate.Leave(call.WebhookId, pass, hasFailed: false);
        }
        catch (Exception fault)
        {
            // A process that stops has learnt nothing about the address, and a refusal for good took no time: the
            // others may go on.
            var isTrouble = fault is not PermanentFaultException && !context.CancellationToken.IsCancellationRequested;
            gate.Leave(call.WebhookId, pass, isTrouble ? true : null, StepSchedule.RequestedWait(fault));
            throw;
        }
    }

    // The event's own age says nothing: it may have been redriven, or its queue paused.
    private static Exception Later(Uri url, GatePass pass, TimeSpan wait, DateTimeOffset? since)
    {
        var now = DatabaseClock.UtcNow;
        return pass.IsHopeless(now - (since ?? now))
            ? new PermanentFaultException(
                $"{url.Authority} has refused the last {pass.Failures} deliveries of this web hook, and this one has waited for {WebhookGate.LongestWait.TotalHours:0} h. Redrive it when the client's address answers again."
            )
            : new StepDeferredException(
                pass.Failures > 0
                    ? $"{url.Authority} has refused the last delivery of this web hook; this one follows in {wait.TotalSeconds:0.#} s."
                    : $"{url.Authority} is busy with other deliveries of this web hook; this one follows in {wait.TotalSeconds:0.#} s.",
                now + wait
            );
    }
}
