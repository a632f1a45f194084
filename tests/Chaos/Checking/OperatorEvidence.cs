namespace Orders.Chaos.Checking;

/// <summary>A worker that was asked to end.</summary>
/// <param name="Service">The compose service.</param>
/// <param name="ExitCode">Its exit code; 137 when it had to be killed after 30 s.</param>
/// <param name="Took">From the signal to its end.</param>
/// <param name="Healthy">From its next start until it was healthy; null for an additional replica, which is not started again.</param>
public sealed record WorkerStop(string Service, int ExitCode, TimeSpan Took, TimeSpan? Healthy);

/// <summary>A redrive as the operator API shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Reason">Why it was asked for.</param>
/// <param name="Stage">How far it is, by name.</param>
/// <param name="StoppedBecause">Why it stopped; null while it may go on.</param>
/// <param name="Total">How many messages it has.</param>
/// <param name="Waiting">Not sent yet.</param>
/// <param name="Sent">Sent, and nothing known of them yet.</param>
/// <param name="Done">Their work is done.</param>
/// <param name="FailedAgain">Parked again.</param>
/// <param name="Skipped">Not sent, for a reason.</param>
public sealed record RedriveTotals(Guid Id, string Reason, string Stage, string? StoppedBecause, int Total, int Waiting, int Sent, int Done, int FailedAgain, int Skipped)
{
    /// <summary>Whether it is known of each of its messages what came of it.</summary>
    public bool IsDone => Stage == "Done";

    /// <summary>The five counts together.</summary>
    public int Sum => Waiting + Sent + Done + FailedAgain + Skipped;
}

/// <summary>A redrive from three sides.</summary>
/// <param name="Totals">What the operator API shows of it now.</param>
/// <param name="Promised">The total in the answer to whoever asked for it; null when that answer was lost.</param>
/// <param name="Messages">Its messages in the database.</param>
public sealed record Redrive(RedriveTotals Totals, int? Promised, IReadOnlyList<RedrivenMessage> Messages);

/// <summary>A message of a redrive.</summary>
/// <param name="FailureId">The failure it is.</param>
/// <param name="OrderId">The order; null when the message does not say.</param>
/// <param name="Step">The step; null when no step had it.</param>
/// <param name="State">What came of it.</param>
public sealed record RedrivenMessage(Guid FailureId, Guid? OrderId, string? Step, RedrivenState State);

/// <summary>What came of a message of a redrive, in the order of the five counts.</summary>
public enum RedrivenState
{
    Waiting,
    Sent,
    Done,
    FailedAgain,
    Skipped,
}
