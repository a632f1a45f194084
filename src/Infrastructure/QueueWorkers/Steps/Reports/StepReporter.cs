using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Reports;

/// <summary>What an attempt tells about itself; whoever looks at the subject sees it within a second or two.</summary>
public sealed class StepReporter
{
    private readonly StepRun _run;

    internal StepReporter(StepRun run) => _run = run;

    /// <summary>Tells how far the attempt is. Kept with the attempt.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="activity">What it is at; null leaves what was said before.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is none.</exception>
    public void Progress(double share, string? activity = null) => _run.ReportProgress(share, activity);

    /// <summary>Writes a line into the attempt's own log. Bounded: of many lines the last ones are kept.</summary>
    public void Log(string line) => _run.Log(line);

    /// <summary>Keeps what came out of the attempt, as JSON.</summary>
    /// <exception cref="ArgumentException">It is larger than <see cref="RunReport.LargestResult"/>.</exception>
    public void Result<T>(T result) => _run.Result(result);
}
