using System.Collections.Concurrent;
using MassTransit;

namespace QueueWorkers.Outbox;

/// <summary>
/// The names under which a message type travels. They follow MassTransit's conventions, so its endpoints bind to the
/// same exchange.
/// </summary>
public static class MessageName
{
    private static readonly ConcurrentDictionary<Type, string> Exchanges = new();
    private static readonly ConcurrentDictionary<Type, string> Urns = new();

    /// <summary>The exchange, such as <c>Shop.Contracts:ParcelSent</c>.</summary>
    public static string ExchangeOf(Type type) => Exchanges.GetOrAdd(type, static t => $"{t.Namespace}:{t.Name}");

    /// <summary>The type's name inside an envelope, such as <c>urn:message:Shop.Contracts:ParcelSent</c>.</summary>
    public static string UrnOf(Type type) => Urns.GetOrAdd(type, static t => MessageUrn.ForTypeString(t));
}
