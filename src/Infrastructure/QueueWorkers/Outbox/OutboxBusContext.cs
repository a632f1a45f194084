using MassTransit;
using MassTransit.Clients;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;

namespace QueueWorkers.Outbox;

/// <summary>
/// Makes the scoped <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> write rows into the scope's own database
/// context: they are committed, or not, with whatever else that context saves. Inside a step the messages join the
/// step's run instead.
/// </summary>
internal sealed class OutboxBusContextProvider<TContext>(
    IBus bus,
    TContext database,
    Bind<IBus, IClientFactory> clients,
    Bind<IBus, IScopedConsumeContextProvider> consuming,
    IServiceProvider provider
) : IScopedBusContextProvider<IBus>
    where TContext : DbContext
{
    public ScopedBusContext Context { get; } =
        consuming.Value.HasContext
            ? new ConsumeContextScopedBusContext(consuming.Value.GetContext(), clients.Value)
            : new OutboxBusContext(bus, database, clients.Value, provider);
}

internal sealed class OutboxBusContext : ScopedBusContext, OutboxSendContext
{
    private readonly DbContext _database;
    private readonly IServiceProvider _provider;

    public OutboxBusContext(IBus bus, DbContext database, IClientFactory clients, IServiceProvider provider)
    {
        _database = database;
        _provider = provider;
        PublishEndpoint = new PublishEndpoint(new OutboxPublishEndpointProvider(this, bus));
        SendEndpointProvider = new OutboxSendEndpointProvider(this, bus);
        ClientFactory = new ScopedClientFactory(clients, null);
    }

    public IPublishEndpoint PublishEndpoint { get; }

    public ISendEndpointProvider SendEndpointProvider { get; }

    public IScopedClientFactory ClientFactory { get; }

    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        // A context is not made for two threads, but publishing twice at once from one scope is legal.
        lock (_database)
            _database.Add(SendContextRow.From(context));
        return Task.CompletedTask;
    }

    public object? GetService(Type serviceType) => _provider.GetService(serviceType);
}
