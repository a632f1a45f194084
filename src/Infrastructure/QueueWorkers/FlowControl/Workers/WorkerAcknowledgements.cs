using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.FlowControl.Workers;

/// <summary>
/// Waits until the living worker processes have read a change of their controls. A process reads the controls in the
/// statement that writes its report, so a report that is younger than the change says that the process knows it.
/// Nothing depends on the answer: the change is committed before, and dying here leaves an operator without it.
/// </summary>
public sealed class WorkerAcknowledgements(NpgsqlDataSource database)
{
    /// <summary>
    /// How long it waits. A process that works reports itself within about three seconds; an idle one among many may
    /// take seven, and reads the controls before it begins a message.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // Living at the moment of the change, and not stopped since: what starts later begins with the change.
    private const string Answers = """
        select host, last_seen_at >= $1 from workers
        where stopped_at is null and last_seen_at > $1 - $2::interval and started_at <= $1
            and ($3::text is null or $3 = any(steps)) and ($4::uuid is null or id = $4)
        order by host, id
        """;

    /// <summary>Waits for the processes that run a step. Call it after the commit of the change.</summary>
    /// <param name="step">The step; null for all processes.</param>
    /// <param name="cancellationToken">Ends the waiting; the change stays.</param>
    public Task<Acknowledgement> OfStepAsync(string? step, CancellationToken cancellationToken) =>
        WaitAsync(step, null, cancellationToken);

    /// <summary>Waits for one process. Call it after the commit of the change.</summary>
    /// <param name="worker">The process.</param>
    /// <param name="cancellationToken">Ends the waiting; the change stays.</param>
    public Task<Acknowledgement> OfWorkerAsync(Guid worker, CancellationToken cancellationToken) =>
        WaitAsync(null, worker, cancellationToken);

    private async Task<Acknowledgement> WaitAsync(string? step, Guid? worker, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            var since = await NowAsync(cancellationToken);
            while (true)
            {
                var answer = await AskAsync(since, step, worker, cancellationToken);
                if (answer.Silent.Count == 0 || Stopwatch.GetElapsedTime(began) > Patience)
                    return answer;
                await Task.Delay(Pause, cancellationToken);
            }
        }
        catch (NpgsqlException fault)
        {
            // The change is made: to fail now would say the opposite.
            return new Acknowledgement(0, 0, [], fault.Message);
        }
    }

    // By the database's clock, as the reports are.
    private async Task<DateTime> NowAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select clock_timestamp()");
        return (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<Acknowledgement> AskAsync(
        DateTime since,
        string? step,
        Guid? worker,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Answers);
        command.Parameters.Add(new() { Value = since });
        command.Parameters.Add(new() { Value = Worker.LifeSign });
        command.Parameters.Add(new() { Value = (object?)step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)worker ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (workers, silent) = (0, new List<string>());
        while (await reader.ReadAsync(cancellationToken))
        {
            workers++;
            if (!reader.GetBoolean(1))
                silent.Add(reader.GetString(0));
        }

        return new Acknowledgement(workers, workers - silent.Count, silent);
    }
}

/// <summary>How many worker processes have read a change.</summary>
/// <param name="Workers">Processes that the change concerns and that lived when it was made.</param>
/// <param name="Answered">How many of them have read it.</param>
/// <param name="Silent">The hosts of the others.</param>
/// <param name="Fault">Why it is not known; null when it is.</param>
public sealed record Acknowledgement(int Workers, int Answered, IReadOnlyList<string> Silent, string? Fault = null)
{
    private const int MostNames = 3;

    /// <summary>A sentence or two for the operator.</summary>
    /// <param name="done">What was changed, such as <c>email is paused</c>.</param>
    public string Confirm(string done) =>
        Fault is not null ? $"{done}. How many workers have read it is not known: {Fault}"
        : Workers == 0 ? $"{done}. No worker that it concerns is running."
        : $"{done} on {Answered} of {Workers} {(Workers == 1 ? "worker" : "workers")}.{Missing}";

    private string Missing =>
        Silent.Count == 0
            ? ""
            : $" No answer within {WorkerAcknowledgements.Patience.TotalSeconds:0} s from {Names}; a worker reads the change before it begins another message.";

    private string Names =>
        string.Join(", ", Silent.Take(MostNames))
        + (Silent.Count > MostNames ? $" and {Silent.Count - MostNames} more" : "");
}
