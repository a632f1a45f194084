using MassTransit;
using MassTransit.Configuration;
using MassTransit.Middleware;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using QueueWorkers.Consuming.Acknowledgement;
using QueueWorkers.Consuming.DeadLettering;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Endpoints;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>Turns a step's policy into a receive endpoint: the only place where policy meets MassTransit.</summary>
internal sealed class StepEndpoint : IStepEndpoint
{
    public void Configure<TStep>(IRabbitMqReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
        where TStep : class, IStep, IConsumer
    {
        var policy = TStep.Policy;
        endpoint.SetQuorumQueue();
        // Both, always: the client's dispatch concurrency derives from them, and a shared commit is never larger than
        // what may be in flight.
        endpoint.PrefetchCount = policy.Concurrency;
        // The prefetch is the gate's to decide while the process runs; the limit here is only how far that may go.
        endpoint.ConcurrentMessageLimit = policy.MaxConcurrency;
        FollowTheGate(endpoint, context, policy.Name);
        // Exchanges and bindings of message types are the deployment's: a worker's user may not declare them.
        endpoint.ConfigureConsumeTopology = false;
        // A fault is a dead-lettered message and a row, not one more message; and nothing in a message may name an
        // address for us to write to: whoever can publish could make us declare exchanges, and where our user may not,
        // the message would fail at that for ever instead of being dead-lettered. See also Park and StepConsumeContext.
        endpoint.PublishFaults = false;

        ConfigureDeadLetters<TStep>(endpoint, policy, context);
        endpoint.AddPrePipeSpecification(context.GetRequiredService<RedeliveryScheduler>());
        if (policy.Redelivery.Delays.Count > 0)
        {
            endpoint.UseScheduledRedelivery(r =>
            {
                Ignore(r, policy);
                r.Intervals([.. policy.Redelivery.Delays]);
            });
        }

        if (policy.Retry.Count > 0)
        {
            endpoint.UseMessageRetry(r =>
            {
                Ignore(r, policy);
                // As StepSchedule says it: the next attempt is a redelivery.
                r.Ignore<Exception>(fault => StepSchedule.NamesWait(MaskedFaultException.Unmasked(fault)));
                r.Intervals([
                    .. Enumerable.Range(0, policy.Retry.Count).Select(i => policy.Retry.From * Math.Pow(2, i)),
                ]);
            });
        }

        endpoint.ConnectConsumerConfigurationObserver(
            new OutboxConsumePipeSpecificationObserver<TStep>(endpoint, context)
        );
        endpoint.ConfigureConsumer<TStep>(context, consumer => consumer.UseFilter(new MaskedFaults<TStep>()));
    }

    // MassTransit's own filters, with a brake before them for a queue that cannot be written.
    private static void ConfigureDeadLetters<TStep>(
        IRabbitMqReceiveEndpointConfigurator endpoint,
        StepPolicy policy,
        IBusRegistrationContext context
    )
    {
        var metrics = context.GetRequiredService<PoisonMetrics>();
        var logger = context.GetRequiredService<ILogger<TStep>>();
        var time = context.GetRequiredService<TimeProvider>();
        var poison = context.GetRequiredService<PoisonGuard>();
        endpoint.ConfigureError(error =>
        {
            error.UseFilter(
                new DeadLetterBackoff<ExceptionReceiveContext>(
                    policy.Name,
                    $"{policy.Name}_error",
                    metrics,
                    logger,
                    time
                )
            );
            // In place of MassTransit's GenerateFaultFilter, which would write to an address that the message names.
            // Without the mark the message would count as skipped besides, and be there twice.
            error.UseExecuteAsync(failed =>
                failed.IsFaulted ? Task.CompletedTask : failed.NotifyFaulted(failed.Exception)
            );
            // What was thrown before the pipeline (a message that cannot be read) has been masked by nobody yet.
            error.UseExecute(failed => DeadLetterHeaders.Mask(failed));
            error.UseFilter(new ErrorTransportFilter());
            // It is in its queue. Dying before this line dead-letters the message once more.
            error.UseExecuteAsync(moved =>
                MaskedFaultException.Unmasked(moved.Exception) is PoisonMessageException killer
                    ? poison.DeadLetteredAsync(killer, moved.CancellationToken)
                    : Task.CompletedTask
            );
        });
        endpoint.ConfigureDeadLetter(skipped =>
        {
            skipped.UseFilter(
                new DeadLetterBackoff<ReceiveContext>(policy.Name, $"{policy.Name}_skipped", metrics, logger, time)
            );
            skipped.UseFilter(new DeadLetterTransportFilter());
        });
    }

    private static void FollowTheGate(
        IRabbitMqReceiveEndpointConfigurator endpoint,
        IBusRegistrationContext context,
        string step
    )
    {
        var gate = context.GetRequiredService<StepGates>().Of(step);
        var stopping = context.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        stopping.Register(gate.StopWaiting);
        var consumption = context.GetRequiredService<StepConsumptions>().Of(step);
        endpoint.ConfigureChannel(channel =>
            channel.AddPipeSpecification(
                new StepChannelFilter(
                    gate,
                    consumption,
                    context.GetRequiredService<DeliveryLimits>(),
                    context.GetRequiredService<ILogger<StepSubscription>>(),
                    stopping
                )
            )
        );
    }

    private static void Ignore(IRetryConfigurator retry, StepPolicy policy)
    {
        retry.Ignore<PermanentFaultException>();
        retry.Ignore([.. policy.PermanentFaults]);
        retry.Ignore<MaskedFaultException>(fault => StepSchedule.IsPermanent(policy, fault.Original));
    }
}
