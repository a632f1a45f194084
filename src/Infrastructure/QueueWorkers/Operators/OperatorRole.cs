namespace QueueWorkers.Operators;

/// <summary>What an operator may do; each role may do all that the ones before it may. Stored as its number.</summary>
public enum OperatorRole : short
{
    /// <summary>Looks, changes nothing.</summary>
    Viewer = 0,

    /// <summary>Redrives, archives, pauses, retries.</summary>
    Operator = 1,

    /// <summary>Reveals personal data, edits messages, manages operators.</summary>
    Admin = 2,
}
