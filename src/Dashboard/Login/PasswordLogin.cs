using QueueWorkers.Operators;

namespace Orders.Dashboard.Login;

/// <summary>
/// A login by name and password: limits first, then the queue, then the check. Nothing is written before the password
/// is checked, and of wrong ones only the beginning of a lock period is.
/// </summary>
internal sealed class PasswordLogin(
    OperatorSessions sessions,
    LoginLimits limits,
    LoginQueue queue,
    LoginOptions options,
    AuditLog audit,
    TimeProvider time,
    ILogger<PasswordLogin> log
)
{
    // A botnet of many addresses begins many lock periods: the record is not theirs to fill.
    private const int MostRecordsPerHour = 60;
    private static readonly TimeSpan QueueIsShorter = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private DateTimeOffset _hourEnds;
    private int _records;

    /// <summary>Checks a name and a password, and begins a session.</summary>
    /// <returns>
    /// The session's secret; or how long to wait; or neither, when name or password are wrong.
    /// </returns>
    /// <exception cref="System.Data.Common.DbException">The database cannot be asked.</exception>
    public async Task<(string? Secret, TimeSpan? RetryAfter)> TryAsync(
        string name,
        string password,
        string address,
        CancellationToken cancellationToken
    )
    {
        if (limits.TryBegin(name, address) is { } wait)
            return (null, wait);
        bool? right = null;
        var begun = LoginLock.None;
        string? secret = null;
        try
        {
            using var turn = await queue.TryEnterAsync(limits.IsFamiliar(name, address), cancellationToken);
            if (turn is null)
                return (null, QueueIsShorter);
            secret = await sessions.BeginAsync(name, password, cancellationToken);
            right = secret is not null;
        }
        finally
        {
            begun = limits.End(name, address, right);
        }

        if (right is false)
            DashboardLog.LoginFailed(log, address);
        if (begun is not LoginLock.None)
            await RecordAsync(name, address, begun, cancellationToken);
        return (secret, null);
    }

    private async Task RecordAsync(string name, string address, LoginLock begun, CancellationToken cancellationToken)
    {
        var tries = begun is LoginLock.Address ? options.TriesPerAddress : options.Tries;
        DashboardLog.LockedOut(log, address, tries, options.LockOut);
        if (!MayRecord())
            return;
        await audit.WriteAsync(
            new AuditEntry
            {
                Who = name,
                Role = "?",
                Action = "log in",
                Result =
                    $"{address} is locked out for {options.LockOut}: {tries} wrong passwords{(begun is LoginLock.Address ? ", for whatever names" : "")}",
            },
            cancellationToken
        );
    }

    private bool MayRecord()
    {
        lock (_lock)
        {
            if (time.GetUtcNow() is var now && now >= _hourEnds)
                (_hourEnds, _records) = (now + TimeSpan.FromHours(1), 0);
            return ++_records <= MostRecordsPerHour;
        }
    }
}
