using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Orders.Infrastructure.Steps;

/// <summary>Turns a step's policy into a receive endpoint: the only place where policy meets MassTransit.</summary>
internal static class StepEndpoint
{
    public static void Configure<TStep>(IRabbitMqReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
        where TStep : class, IStep, IConsumer
    {
        var policy = TStep.Policy;
        endpoint.SetQuorumQueue();
        // Both, always: the client's dispatch concurrency derives from them, and a shared commit is never larger than what may be in flight.
        endpoint.PrefetchCount = policy.Concurrency;
        endpoint.ConcurrentMessageLimit = policy.Concurrency;
        // Exchanges and bindings of message types are the deployment's: a worker's user may not declare them.
        endpoint.ConfigureConsumeTopology = false;
        // A fault is a parked message and a row, not one more message; and no header of a message may name an address for us to write to.
        endpoint.PublishFaults = false;

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
                r.Intervals([.. Enumerable.Range(0, policy.Retry.Count).Select(i => policy.Retry.From * Math.Pow(2, i))]);
            });
        }

        endpoint.ConnectConsumerConfigurationObserver(new OutboxConsumePipeSpecificationObserver<TStep>(endpoint, context));
        endpoint.ConfigureConsumer<TStep>(context);
    }

    private static void Ignore(IRetryConfigurator retry, StepPolicy policy)
    {
        retry.Ignore<PermanentFaultException>();
        retry.Ignore([.. policy.PermanentFaults]);
    }
}
