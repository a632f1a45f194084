using Npgsql;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps;

/// <summary>
/// Rows of the application that a step wants written in its commit, as pure data. A <see cref="StepWriter{TWrite}"/>
/// writes them, for many runs at once.
/// </summary>
public interface IStepWrite;

/// <summary>
/// Writes one kind of <see cref="IStepWrite"/>, set by set, inside the transaction that also holds the runs'
/// idempotency rows, effects and messages.
/// </summary>
public interface IStepWriter
{
    /// <summary>The kind it writes.</summary>
    Type WriteType { get; }

    /// <summary>
    /// Writers run in this order in every process, and lock their rows in the order of the rows' keys: two processes
    /// can wait for each other, but never in a circle.
    /// </summary>
    int LockOrder { get; }

    /// <summary>
    /// Writes, and may decide: publish from the run, or reject it. Called only for runs that were not committed before.
    /// The connection is pooled and not reset: a setting in here has to be <c>SET LOCAL</c>.
    /// </summary>
    Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<StepRun> runs);
}

/// <summary>Base of a writer for <typeparamref name="TWrite"/>.</summary>
public abstract class StepWriter<TWrite> : IStepWriter
    where TWrite : class, IStepWrite
{
    /// <inheritdoc />
    public Type WriteType => typeof(TWrite);

    /// <inheritdoc />
    public abstract int LockOrder { get; }

    /// <inheritdoc />
    public Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<StepRun> runs) =>
        WriteAsync(connection, [.. runs.Select(r => (r, (TWrite)r.Write!))]);

    /// <summary>Writes the rows of all the runs, with as few statements as possible.</summary>
    protected abstract Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<(StepRun Run, TWrite Write)> runs);
}
