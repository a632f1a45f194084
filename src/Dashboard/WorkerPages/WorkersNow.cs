using Orders.Infrastructure.Failures;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.WorkerPages;

/// <summary>Worker processes and what they are running, as they last reported it.</summary>
/// <param name="Workers">The processes, the living ones first.</param>
/// <param name="Runs">Their runs, the oldest first, at most <see cref="MostRuns"/>.</param>
/// <param name="Numbers">The numbers of the orders that the runs work on.</param>
public sealed record WorkersNow(
    IReadOnlyList<Worker> Workers,
    IReadOnlyList<WorkerRun> Runs,
    IReadOnlyDictionary<Guid, string> Numbers
)
{
    /// <summary>How many runs are shown.</summary>
    public const int MostRuns = 100;

    /// <summary>Reads all of them.</summary>
    public static async Task<WorkersNow> ReadAsync(
        WorkerReader workers,
        OrderFailures orders,
        CancellationToken cancellationToken
    ) => await OfAsync(await workers.ReadAsync(cancellationToken), orders, cancellationToken);

    /// <summary>Reads one; without workers when there is none of that id.</summary>
    public static async Task<WorkersNow> FindAsync(
        Guid id,
        WorkerReader workers,
        OrderFailures orders,
        CancellationToken cancellationToken
    ) =>
        await OfAsync(
            await workers.FindAsync(id, cancellationToken) is { } worker ? [worker] : [],
            orders,
            cancellationToken
        );

    /// <summary>A process's state in a word, and its colour.</summary>
    public static (string Word, string? State) StateOf(Worker worker, DateTimeOffset now) =>
        worker switch
        {
            { StoppedAt: not null } => ("Stopped", null),
            _ when now - worker.LastSeenAt >= Worker.LifeSign => ("Lost", "bad"),
            { IsDrained: true } => ("Drained", "warn"),
            { DrainAskedAt: not null } => ("Draining", "warn"),
            _ => ("Running", "good"),
        };

    private static async Task<WorkersNow> OfAsync(
        IReadOnlyList<Worker> workers,
        OrderFailures orders,
        CancellationToken cancellationToken
    )
    {
        WorkerRun[] runs =
        [
            .. workers
                .SelectMany(w => w.Runs.Select(r => new WorkerRun(w, r)))
                .OrderBy(r => r.Run.Since)
                .Take(MostRuns),
        ];
        return new WorkersNow(
            workers,
            runs,
            await orders.NumbersAsync([.. runs.Select(r => r.Run.SubjectId).Distinct()], cancellationToken)
        );
    }
}

/// <summary>A run and the process that makes it.</summary>
/// <param name="Worker">The process.</param>
/// <param name="Run">The run.</param>
public sealed record WorkerRun(Worker Worker, RunningAttempt Run);
