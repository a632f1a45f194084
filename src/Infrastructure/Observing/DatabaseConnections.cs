using Orders.Infrastructure.Controls;

namespace Orders.Infrastructure.Observing;

/// <summary>How many database connections there are, may be, and are given at most.</summary>
/// <param name="InUse">Connections that are open, of whomever.</param>
/// <param name="Budget">What the living worker processes may open, and what PostgreSQL gives.</param>
/// <param name="Reserve">What is kept for everything but workers.</param>
/// <param name="Pooler">Whether a pooler bounds them all together.</param>
public sealed record DatabaseConnections(int InUse, ConnectionBudget Budget, int Reserve, bool Pooler)
{
    /// <summary>From this share on somebody should do something.</summary>
    public const double High = 0.85;

    /// <summary>Whether few are left.</summary>
    public bool IsHigh => InUse > High * Budget.Limit;

    /// <summary>Why the processes may open too many; null when they may not.</summary>
    public string? Excess => Pooler ? null : Budget.Excess(Reserve);
}
