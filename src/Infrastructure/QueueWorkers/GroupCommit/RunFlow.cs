namespace QueueWorkers.GroupCommit;

/// <summary>
/// What belongs to the run in whose flow code is executed: the values that nobody is to be told
/// (<see cref="PersonalText"/>), and what its log lines carry.
/// </summary>
internal sealed class RunFlow
{
    private static readonly AsyncLocal<RunFlow?> Flow = new();

    private HashSet<string>? _hidden;

    /// <summary>That of the current run; null outside of one.</summary>
    public static RunFlow? Current => Flow.Value;

    /// <summary>What its log lines carry; null for nothing.</summary>
    public IReadOnlyList<KeyValuePair<string, object?>>? Scope { get; set; }

    /// <summary>Begins one.</summary>
    public static RunFlow Begin() => Flow.Value = new RunFlow();

    /// <summary>Leaves it: for a loop that was started in the flow of a run and does not belong to it.</summary>
    public static void Leave()
    {
        if (Flow.Value is not null)
            Flow.Value = null;
    }

    /// <summary>Adds a value that nobody is to be told.</summary>
    public void Hide(string value)
    {
        lock (this)
            (_hidden ??= []).Add(value);
    }

    /// <summary>The values that nobody is to be told; null for none.</summary>
    public string[]? Hidden()
    {
        lock (this)
            return _hidden?.ToArray();
    }
}
