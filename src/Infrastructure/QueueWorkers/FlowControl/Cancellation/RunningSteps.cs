using System.Collections.Concurrent;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.FlowControl.Cancellation;

/// <summary>
/// The runs that are going on in this process, so that one can be told that its subject was cancelled, and operators
/// see what they are.
/// </summary>
public sealed class RunningSteps
{
    private readonly ConcurrentDictionary<StepRun, CancellationTokenSource> _running = new(
        ReferenceEqualityComparer.Instance
    );

    /// <summary>The runs, at this moment.</summary>
    public IEnumerable<StepRun> Runs => _running.Keys;

    /// <summary>
    /// The oldest of them, for the process's report. They are remembered anyway: a message costs nothing more for it.
    /// </summary>
    internal IReadOnlyList<RunningAttempt> Oldest(int most) =>
        [
            .. _running
                .Select(r => r.Key)
                .OrderBy(r => r.StartedAt)
                .Take(most)
                .Select(r => new RunningAttempt(r.Step, r.MessageId, r.SubjectId, r.Attempt, r.StartedAt)),
        ];

    internal void Add(StepRun run, CancellationTokenSource source) => _running[run] = source;

    internal void Remove(StepRun run) => _running.TryRemove(run, out _);

    /// <summary>
    /// Cancels the tokens of all runs for a subject, except of those that undo or that have to end what an earlier run
    /// began.
    /// </summary>
    internal void Cancel(Guid subject)
    {
        foreach (var (run, source) in _running)
        {
            if (run.SubjectId != subject || run.IsCompensation || run.MustFinish)
                continue;
            try
            {
                source.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended in this very moment: its commit sees the cancellation.
            }
        }
    }
}
