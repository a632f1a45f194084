namespace Orders.Infrastructure.Controls;

/// <summary>Whether the connections that all worker processes may open fit into the database.</summary>
/// <param name="Processes">Worker processes that live.</param>
/// <param name="Bounds">The most connections they may open together.</param>
/// <param name="Limit">The most connections that PostgreSQL gives to anybody but a superuser.</param>
public sealed record ConnectionBudget(int Processes, int Bounds, int Limit)
{
    /// <summary>Why the budget does not hold; null when it does, or nobody has asked yet.</summary>
    /// <param name="reserve">Connections that everything but workers needs.</param>
    public string? Excess(int reserve) => Limit == 0 || Bounds + reserve <= Limit
        ? null
        : $"{Processes} worker processes may open {Bounds} connections and {reserve} are kept for others, but PostgreSQL gives {Limit}: run fewer processes, lower Database__MaxConnections, raise max_connections, or put PgBouncer in between";
}
