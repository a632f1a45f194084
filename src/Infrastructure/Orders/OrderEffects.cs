namespace Orders.Infrastructure;

/// <summary>Names of effects that more than their step knows.</summary>
public static class OrderEffects
{
    /// <summary>The mail that says that an order cannot be filled.</summary>
    public const string Apology = "apology";
}
