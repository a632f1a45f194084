namespace Orders.Infrastructure.Coalescing;

/// <summary>What a fault of the database means for the work that met it. The table is in <see cref="DatabaseFault"/> and in ADR 89.</summary>
public enum DatabaseFaultKind
{
    /// <summary>The fault does not come from the database.</summary>
    None = 0,

    /// <summary>The values of one unit of work were refused: other units of the same batch may succeed, and a repetition fails again.</summary>
    Data = 1,

    /// <summary>Another transaction was in the way: nothing was written, and a repetition may succeed at once.</summary>
    Conflict = 2,

    /// <summary>The database cannot be used now: no connection, no login, read-only, shutting down, out of disk. No statement can succeed until that ends.</summary>
    Unavailable = 3,

    /// <summary>
    /// The database cannot run this statement as it is now: a right, a table or a column is missing, or a prepared plan is out of date. Normal during a deployment, a defect when it lasts;
    /// so work waits for it for a limited time only.
    /// </summary>
    Refused = 4,

    /// <summary>The statement itself is wrong: a defect of ours or of a step, and no repetition helps.</summary>
    Statement = 5,
}
