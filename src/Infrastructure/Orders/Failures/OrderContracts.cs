using Orders.Contracts;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Failures;

/// <summary>The contracts that this version was built with.</summary>
public sealed class OrderContracts : IMessageContracts
{
    private static readonly Dictionary<string, Type> Types = typeof(OrderAccepted)
        .Assembly.GetExportedTypes()
        .Where(t => t.IsClass)
        .ToDictionary(MessageName.ExchangeOf);

    /// <inheritdoc />
    public IReadOnlyCollection<string> Names => Types.Keys;

    /// <inheritdoc />
    public Type? Find(string messageType) => Types.GetValueOrDefault(messageType);
}
