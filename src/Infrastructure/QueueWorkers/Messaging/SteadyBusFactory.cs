using MassTransit;
using MassTransit.Configuration;
using MassTransit.Observables;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;

namespace QueueWorkers.Messaging;

/// <summary>
/// Builds MassTransit's bus on RabbitMQ, as <c>UsingRabbitMq</c> does, with <see cref="SteadyReconnect"/> as the policy
/// by which its endpoints connect again.
/// </summary>
/// <remarks>
/// MassTransit has no setting for that policy. The host's configuration owns it, as a property that a derived class may
/// override, and a bus factory of one's own may bring its own host (ADR 95). All of it is public: a MassTransit that
/// changes it does not compile.
/// </remarks>
internal sealed class SteadyBusFactory : TransportRegistrationBusFactory<IRabbitMqReceiveEndpointConfigurator>
{
    private readonly SteadyBus _bus;
    private readonly Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> _configure;

    /// <param name="configure">Configures the host and the endpoints.</param>
    public SteadyBusFactory(Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> configure)
        : this(new SteadyBus(new RabbitMqTopologyConfiguration(RabbitMqBusFactory.CreateMessageTopology())), configure)
    { }

    private SteadyBusFactory(SteadyBus bus, Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator> configure)
        : base(bus.HostConfiguration) => (_bus, _configure) = (bus, configure);

    /// <inheritdoc />
    public override IBusInstance CreateBus(
        IBusRegistrationContext context,
        IEnumerable<IBusInstanceSpecification> specifications,
        string busName
    ) => CreateBus(new RabbitMqBusFactoryConfigurator(_bus), context, _configure, specifications);

    private sealed class SteadyHost(IRabbitMqBusConfiguration bus, IRabbitMqTopologyConfiguration topology)
        : RabbitMqHostConfiguration(bus, topology)
    {
        public override IRetryPolicy ReceiveTransportRetryPolicy { get; } = new SteadyReconnect();
    }

    private sealed class SteadyBus : RabbitMqEndpointConfiguration, IRabbitMqBusConfiguration
    {
        private readonly BusObservable _observers = new();

        public SteadyBus(IRabbitMqTopologyConfiguration topology)
            : base(topology)
        {
            HostConfiguration = new SteadyHost(this, topology);
            BusEndpointConfiguration = CreateEndpointConfiguration(isBusEndpoint: true);
        }

        public IRabbitMqHostConfiguration HostConfiguration { get; }

        public IRabbitMqEndpointConfiguration BusEndpointConfiguration { get; }

        public IBusObserver BusObservers => _observers;

        IHostConfiguration IBusConfiguration.HostConfiguration => HostConfiguration;

        IEndpointConfiguration IBusConfiguration.BusEndpointConfiguration => BusEndpointConfiguration;

        public ConnectHandle ConnectBusObserver(IBusObserver observer) => _observers.Connect(observer);

        public ConnectHandle ConnectEndpointConfigurationObserver(IEndpointConfigurationObserver observer) =>
            HostConfiguration.ConnectEndpointConfigurationObserver(observer);
    }
}
