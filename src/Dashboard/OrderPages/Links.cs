using Orders.Dashboard.Viewing;
using Orders.Infrastructure;

namespace Orders.Dashboard.OrderPages;

/// <summary>Where an order's other pages are.</summary>
internal static class Links
{
    /// <summary>What is dead-lettered of an order.</summary>
    public static string FailuresOf(Order order) =>
        Page.Address("/failures", ("order", OrderNumber.Format(order.Number)));
}
