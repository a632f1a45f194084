using Orders.Contracts;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Orders.Failures;

/// <summary>The contracts that this version was built with.</summary>
public sealed class OrderContracts : IMessageContracts
{
    private static readonly Dictionary<string, Type> Types = typeof(OrderAccepted).Assembly.GetExportedTypes().Where(t => t.IsClass).ToDictionary(MessageName.ExchangeOf);

    /// <inheritdoc />
    public Type? Find(string messageType) => Types.GetValueOrDefault(messageType);
}
