using Orders.Dashboard.Live;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>
/// Looks every few seconds whether a rule holds, and tells the receivers. The story: 1. what holds is written down; 2.
/// what has held for its time fires; 3. what fired is sent, and that it was is written down after; a crash between the
/// two sends it again. 4. What no longer holds is over, and those who were told are told that too.
/// </summary>
internal sealed class AlertService(
    Feed feed,
    AlertStore book,
    IEnumerable<IAlertReceiver> receivers,
    TimeProvider time,
    ILogger<AlertService> log
) : ResilientLoop(time)
{
    internal static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);

    /// <summary>Tells every receiver of an alert that is none, so that an operator knows they work.</summary>
    /// <returns>What each said; null when it took the alert.</returns>
    public async Task<IReadOnlyList<(string Receiver, string? Fault)>> TestAsync(
        string who,
        CancellationToken cancellationToken
    )
    {
        var alert = new Alert
        {
            Id = DatabaseClock.NewId(),
            Rule = "test",
            Says = $"This is a test, asked for by {who}. Nothing is wrong.",
            Link = "/alerts",
            Since = Time.GetUtcNow(),
            FiredAt = Time.GetUtcNow(),
        };
        var answers = new List<(string, string?)>();
        foreach (var receiver in receivers)
            answers.Add((receiver.Name, await TellAsync(receiver, alert, cancellationToken)));
        return answers;
    }

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await LookAsync(cancellationToken);
        return Pace;
    }

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Pace;

    // Whatever is open is in the database.
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        DashboardLog.AlertsNotKept(log, fault.Message);

    private async Task LookAsync(CancellationToken stoppingToken)
    {
        var now = feed.Current;
        // Without fresh figures nothing is known: alerts stay as they are, but for the one that says so.
        if (now.Version == 0 || now.DatabaseFault is not null)
            return;
        var conditions = AlertConditions.In(now, await book.RulesAsync(stoppingToken));
        if (now.BrokerFault is not null)
        {
            var open = (await book.FiredAsync(500, stoppingToken))
                .Where(a => a.ResolvedAt is null)
                .Select(a => new AlertCondition(a.Rule, a.Subject, a.Says, a.Link));
            conditions = [.. conditions.Concat(open).DistinctBy(c => (c.Rule, c.Subject))];
        }

        if (!await book.WriteAsync(conditions, stoppingToken))
            return;
        foreach (var alert in await book.ToSendAsync(stoppingToken))
        {
            DashboardLog.AlertSent(
                log,
                alert.Rule,
                alert.Subject,
                alert.Says,
                alert.Id,
                alert.ResolvedAt is null ? "fires" : "over"
            );
            string? error = null;
            foreach (var receiver in receivers)
                error = await TellAsync(receiver, alert, stoppingToken) ?? error;
            await book.SentAsync(alert, error, stoppingToken);
        }
    }

    // Whatever a receiver's fault is, it must not keep the others from being told.
    private async Task<string?> TellAsync(IAlertReceiver receiver, Alert alert, CancellationToken cancellationToken)
    {
        try
        {
            await receiver.TellAsync(alert, cancellationToken);
            return null;
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            DashboardLog.AlertNotSent(log, alert.Id, receiver.Name, fault.Message);
            return StorableText.Of(PersonalText.Of($"{receiver.Name}: {fault.Message}"), 2000);
        }
    }
}
