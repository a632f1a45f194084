namespace QueueWorkers.Retention;

/// <summary>How long the rows of a table are kept.</summary>
/// <param name="Name">The setting's name: <c>Retention:Idempotency</c> holds the time for rule
/// <c>Idempotency</c>.</param>
/// <param name="Table">The table; not a partitioned one.</param>
/// <param name="Age">The column that says how old a row is.</param>
/// <param name="Keep">How long a row is kept unless the configuration says otherwise.</param>
/// <param name="Least">The shortest time that may be configured: what would break below it.</param>
/// <param name="Only">A condition for rows that may go; null when all may.</param>
public sealed record RetentionRule(
    string Name,
    string Table,
    string Age,
    TimeSpan Keep,
    TimeSpan Least,
    string? Only = null
);
