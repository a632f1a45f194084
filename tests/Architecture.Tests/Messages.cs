using Orders.Contracts;

namespace Orders.Architecture.Tests;

/// <summary>
/// The messages among the contracts: those that are about an order. The others are parts of messages.
/// </summary>
internal static class Messages
{
    /// <summary>All records.</summary>
    public static IReadOnlyList<Type> Contracts { get; } =
    [
        .. typeof(OrderAccepted)
            .Assembly.GetExportedTypes()
            .Where(t => !t.IsSubclassOf(typeof(Attribute)))
            .OrderBy(t => t.Name, StringComparer.Ordinal),
    ];

    /// <summary>Those that are sent.</summary>
    public static IReadOnlyList<Type> All { get; } = [.. Contracts.Where(t => t.GetProperty("OrderId") is not null)];
}
