using Npgsql;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Chaos.Planning;

namespace Orders.Chaos.Running;

/// <summary>How soon the system worked again after a fault.</summary>
/// <param name="Times">The fault.</param>
/// <param name="After">From the moment everything was back until the part that was hit had done work again; null when
/// there was no work for it.</param>
/// <param name="IsOverlapped">Another fault was going on meanwhile: the time is not this fault's alone.</param>
public sealed record Recovery(FaultTimes Times, TimeSpan? After, bool IsOverlapped);

/// <summary>
/// Finds recovery times after the run, from what clients and steps have done: measuring costs the system nothing while
/// it runs.
/// </summary>
public sealed class RecoveryReader(NpgsqlDataSource database, IReadOnlyList<HistoryEvent> history)
{
    private static readonly string FirstDone =
        $"select min(finished_at) from step_runs where step = $1 and status = {StoredCodes.StepDone} and finished_at > $2";

    // Of an order that was accepted after the fault: its message was published while the fault was there.
    private static readonly string FirstDoneOfNew = $"""
        select min(s.finished_at) from step_runs s join orders o on o.id = s.subject_id
            where s.step = 'email' and s.status = {StoredCodes.StepDone} and o.created_at > $1
        """;

    private readonly DateTimeOffset[] _accepted =
    [
        .. history.Where(e => e.Event == HistoryEvent.Ok).Select(e => e.At).Order(),
    ];

    /// <summary>Reads them.</summary>
    public async Task<IReadOnlyList<Recovery>> ReadAsync(
        IReadOnlyList<FaultTimes> faults,
        CancellationToken cancellationToken
    )
    {
        var recoveries = new List<Recovery>(faults.Count);
        foreach (var times in faults)
        {
            var from = CountsFromTheBeginning(times) ? times.Injected : times.Healed;
            var worked = await WorkedAsync(times, from, cancellationToken);
            var overlapped = faults.Any(o => o != times && o.Injected < (worked ?? from) && o.Healed > from);
            recoveries.Add(new Recovery(times, worked - from, overlapped));
        }

        return recoveries;
    }

    // One node of a cluster: the others go on, so what counts is how long publishing stood still, and not when the node
    // is back.
    private static bool CountsFromTheBeginning(FaultTimes times) => times.Fault.Type.Class == "broker node killed";

    private async Task<DateTimeOffset?> WorkedAsync(
        FaultTimes times,
        DateTimeOffset from,
        CancellationToken cancellationToken
    )
    {
        if (CountsFromTheBeginning(times))
            return await TimeAsync(FirstDoneOfNew, cancellationToken, from);
        var steps = times.Fault.Targets.Intersect(FaultCatalogue.Workers).ToArray();
        return times.Fault.Targets[0] switch
        {
            "api" => FirstAccepted(from),
            // No order waits for it.
            "dashboard" => null,
            "postgres" or "migrate" => Latest([
                FirstAccepted(from),
                .. await FirstDoneAsync(FaultCatalogue.Workers, from, cancellationToken),
            ]),
            "smtp" or "outside-world" => Latest(await FirstDoneAsync(["email"], from, cancellationToken)),
            "warehouse-calls" => Latest(await FirstDoneAsync(["warehouse"], from, cancellationToken)),
            _ => Latest(await FirstDoneAsync(steps is [] ? FaultCatalogue.Workers : steps, from, cancellationToken)),
        };
    }

    private DateTimeOffset? FirstAccepted(DateTimeOffset from) =>
        _accepted.Where(at => at > from).Select(at => (DateTimeOffset?)at).FirstOrDefault();

    private async Task<DateTimeOffset?[]> FirstDoneAsync(
        string[] steps,
        DateTimeOffset from,
        CancellationToken cancellationToken
    )
    {
        var times = new List<DateTimeOffset?>();
        foreach (var step in steps)
            times.Add(await TimeAsync(FirstDone, cancellationToken, step, from));
        return [.. times];
    }

    private static DateTimeOffset? Latest(DateTimeOffset?[] times) => times.Contains(null) ? null : times.Max();

    private async Task<DateTimeOffset?> TimeAsync(
        string sql,
        CancellationToken cancellationToken,
        params object[] values
    )
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return await command.ExecuteScalarAsync(cancellationToken) is DateTime time
            ? new DateTimeOffset(time, TimeSpan.Zero)
            : null;
    }
}
