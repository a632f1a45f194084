namespace Orders.Bench.Load;

/// <summary>What is measured.</summary>
public enum BenchMode
{
    /// <summary>Orders beside other systems.</summary>
    Compare,

    /// <summary>The relay alone: a full outbox and nobody else.</summary>
    Relay,

    /// <summary>
    /// Orders on an empty database, then with waiting messages, with finished orders, and with a backlog.
    /// </summary>
    Growth,
}
