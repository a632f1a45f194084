using System.Diagnostics;
using Orders.Dashboard.Viewing;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Monitoring;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Dashboard.Schedules;

/// <summary>
/// What an operator is told who runs, pauses or resumes a schedule: what came of it, or why nothing did. On the pages
/// and by the operator API in the same words.
/// </summary>
internal sealed class ScheduleConfirmation(ScheduleControl schedules, WorkerReader workers, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until a worker has done what was asked for, some seconds at most.</summary>
    public async Task<string> OfRunAsync(string name, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        try
        {
            return await WaitAsync(name, dueAt, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFault.MayPass(fault))
        {
            // The run is asked for, and committed: to fail now would say the opposite, and a repeat would run it twice.
            return $"{name} is due now. What came of it is not known yet. {DatabaseFault.Explain(fault)}";
        }
    }

    private async Task<string> WaitAsync(string name, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var run = (await schedules.RunsAsync(name, null, 20, cancellationToken)).FirstOrDefault(r =>
                r.DueAt == dueAt
            );
            switch (run?.Status)
            {
                case FiringStatus.Done:
                    return $"{name} ran in {Texts.Duration(run.Duration)}: {run.Result}";
                case FiringStatus.Failed:
                    return $"{name} failed: {run.Result}";
            }

            if (!await IsAnybodyLivingAsync(cancellationToken))
                return $"{name} is due now. No worker is running; the next one that starts runs it.";
            if (Stopwatch.GetElapsedTime(began) > Patience)
                return run?.Status == FiringStatus.Running
                    ? $"{name} is running on {run.Host}; its result appears with its runs."
                    : $"{name} is due now, and no worker has begun it within {Patience.TotalSeconds:0} s; its result appears with its runs.";
            await Task.Delay(Pause, cancellationToken);
        }
    }

    /// <summary>Why nothing was changed.</summary>
    /// <param name="name">The schedule.</param>
    /// <param name="verb"><c>run</c>, <c>pause</c> or <c>resume</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<string> WhyNotAsync(string name, string verb, CancellationToken cancellationToken)
    {
        var all = await schedules.ListAsync(cancellationToken);
        if (all.All(s => s.Name != name))
        {
            var suggestion = EditDistance.Suggest(name, [.. all.Select(s => s.Name)]);
            return $"There is no schedule '{name}'{(suggestion.Length > 0 ? suggestion : ".")} GET /api/schedules lists them.";
        }

        return verb == "pause" ? $"Schedule '{name}' is paused already." : $"Schedule '{name}' is not paused.";
    }

    private async Task<bool> IsAnybodyLivingAsync(CancellationToken cancellationToken) =>
        (await workers.ReadAsync(cancellationToken)).Any(w =>
            w.StoppedAt is null && time.GetUtcNow() - w.LastSeenAt < Worker.LifeSign
        );
}
