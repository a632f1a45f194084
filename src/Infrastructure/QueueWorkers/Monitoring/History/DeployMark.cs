namespace QueueWorkers.Monitoring.History;

/// <summary>That a build came into use: what a change in the charts may have come from.</summary>
/// <param name="At">When its first process reported itself.</param>
/// <param name="Build">The build.</param>
/// <param name="Steps">The steps that it came to in the minutes that followed.</param>
public sealed record DeployMark(DateTimeOffset At, string Build, IReadOnlyList<string> Steps);
