using MassTransit;

namespace QueueWorkers.Steps.Endpoints;

/// <summary>
/// Turns a step's policy into a receive endpoint. An interface, so that the catalogue does not depend on the code that
/// consumes.
/// </summary>
internal interface IStepEndpoint
{
    /// <summary>Configures the endpoint of <typeparamref name="TStep"/>.</summary>
    void Configure<TStep>(IRabbitMqReceiveEndpointConfigurator endpoint, IBusRegistrationContext context)
        where TStep : class, IStep, IConsumer;
}
