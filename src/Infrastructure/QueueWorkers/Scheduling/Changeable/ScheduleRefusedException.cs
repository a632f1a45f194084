namespace QueueWorkers.Scheduling.Changeable;

/// <summary>Why a schedule was not created, changed or deleted.</summary>
public enum ScheduleRefusal
{
    /// <summary>Something about it does not fit.</summary>
    Invalid,

    /// <summary>There is no such schedule.</summary>
    NotFound,

    /// <summary>Its name is taken, or there are too many.</summary>
    Conflict,

    /// <summary>Somebody has changed it since it was read.</summary>
    Stale,
}

/// <summary>A schedule was not created, changed or deleted. Nothing was done.</summary>
public sealed class ScheduleRefusedException(ScheduleRefusal refusal, IReadOnlyList<ScheduleProblem> problems)
    : Exception(string.Join(' ', problems.Select(p => p.Message)))
{
    /// <summary>Why.</summary>
    public ScheduleRefusal Refusal { get; } = refusal;

    /// <summary>Each problem with its field.</summary>
    public IReadOnlyList<ScheduleProblem> Problems { get; } = problems;
}
