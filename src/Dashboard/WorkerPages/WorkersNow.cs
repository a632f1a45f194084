using Orders.Dashboard.Viewing;
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

    /// <summary>How long a process that stopped or was lost stays among those that work: what can be chosen.</summary>
    public static IReadOnlyList<(string Value, string Text, TimeSpan After)> Folds { get; } =
    [
        ("5m", "5 min", TimeSpan.FromMinutes(5)),
        ("1h", "1 hour", TimeSpan.FromHours(1)),
        // Never: who has not reported itself for a day is forgotten.
        ("1d", "1 day", TimeSpan.FromDays(2)),
    ];

    /// <summary>The processes that work, and those that stopped or were lost less than a time ago; and the rest.</summary>
    public (IReadOnlyList<Worker> Shown, IReadOnlyList<Worker> Folded) Split(DateTimeOffset now, string? fold)
    {
        var after = Folds.FirstOrDefault(f => f.Value == fold) is { Value: not null } chosen
            ? chosen.After
            : Folds[0].After;
        var parts = Workers.ToLookup(w => GoneAt(w, now) is { } gone && now - gone >= after);
        return ([.. parts[false]], [.. parts[true]]);
    }

    /// <summary>Whether there may be more than were read.</summary>
    public bool IsFull => Workers.Count >= WorkerReader.Most;

    /// <summary>"3 stopped, 1 lost in the last day", or how many at least.</summary>
    public string Summary(IReadOnlyList<Worker> gone) =>
        IsFull
            ? $"{Texts.Count(gone.Count)} or more stopped or lost in the last day"
            : $"{Texts.Count(gone.Count(w => w.StoppedAt is not null))} stopped, "
                + $"{Texts.Count(gone.Count(w => w.StoppedAt is null))} lost in the last day";

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

    private static DateTimeOffset? GoneAt(Worker worker, DateTimeOffset now) =>
        worker.StoppedAt ?? (now - worker.LastSeenAt >= Worker.LifeSign ? worker.LastSeenAt : null);

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
