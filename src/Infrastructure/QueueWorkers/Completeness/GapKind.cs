namespace QueueWorkers.Completeness;

/// <summary>What is wrong with a subject. Stored as its number.</summary>
public enum GapKind : short
{
    /// <summary>Its deadline has passed and the effect is not there.</summary>
    Missing = 1,

    /// <summary>The effect is there more than once.</summary>
    Doubled = 2,

    /// <summary>Two tables say different things about it.</summary>
    Contradiction = 3,
}
