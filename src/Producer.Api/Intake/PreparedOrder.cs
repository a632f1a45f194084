using Orders.Infrastructure.Intake;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>What checking a body came to.</summary>
/// <param name="Order">The order, ready to be stored; null when it is refused.</param>
/// <param name="Refusal">Why it is refused; null when it is not.</param>
/// <param name="Key">
/// Of a refused order: the key under which it may have been accepted before; null when it cannot have been.
/// </param>
internal readonly record struct PreparedOrder(NewOrder? Order, Problem? Refusal, KeyUse? Key)
{
    /// <summary>An order that can be stored.</summary>
    public static PreparedOrder Accepted(NewOrder order) => new(order, null, null);

    /// <summary>A body that is refused, unless its key was used before.</summary>
    public static PreparedOrder Refused(Problem refusal, KeyUse? key = null) => new(null, refusal, key);
}
