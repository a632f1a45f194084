namespace QueueWorkers.Steps;

/// <summary>
/// A step as the deployment wrote it down, so that processes which do not contain its code (the API, the dashboard)
/// know that it exists.
/// </summary>
public sealed class CatalogueEntry
{
    /// <summary>The step's name.</summary>
    public string Step { get; init; } = "";

    /// <summary>The step's bit in a subject's progress, 1, 2, 4 …; never given to another step.</summary>
    public int Bit { get; init; }

    /// <summary>The step's place in the catalogue, for display.</summary>
    public int Position { get; init; }

    /// <summary>
    /// The exchanges of the message types that the step consumes, so that a process without its code can feed it.
    /// </summary>
    public string[] Consumes { get; init; } = [];

    /// <summary>The name of what the step calls and cannot do without; null when it is nothing.</summary>
    public string? DependsOn { get; init; }

    /// <summary>Whether new subjects wait for the step, see <see cref="StepPolicy.IsRequired"/>.</summary>
    public bool Required { get; init; } = true;

    /// <summary>
    /// Runs at a time in one replica, see <see cref="StepPolicy.Concurrency"/>; 0 where none was written down.
    /// </summary>
    public int Concurrency { get; init; }

    /// <summary>How far an operator may raise that, see <see cref="StepPolicy.MaxConcurrency"/>.</summary>
    public int MaxConcurrency { get; init; }

    /// <summary>How often runs may begin, as <see cref="RateLimit.ParseAll"/> reads it; empty for no limit.</summary>
    public string Rates { get; init; } = "";

    /// <summary>
    /// False once the step left the catalogue: old subjects still show it, new ones do not wait for it.
    /// </summary>
    public bool Active { get; init; } = true;
}
