namespace QueueWorkers.Monitoring.Alerts;

/// <summary>When an alert is raised.</summary>
public sealed class AlertRule
{
    /// <summary>The rule's name, such as <c>no-workers</c>.</summary>
    public string Name { get; init; } = "";

    /// <summary>What it watches.</summary>
    public AlertKind Kind { get; init; }

    /// <summary>From where on; its unit is the kind's.</summary>
    public double Threshold { get; init; }

    /// <summary>How long it must be so without a break: a peak of a second wakes nobody.</summary>
    public TimeSpan Hold { get; init; }

    /// <summary>Whether it is watched at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Until when its alerts are shown but not sent; null when they are.</summary>
    public DateTimeOffset? SilencedUntil { get; init; }

    /// <summary>What a new installation watches.</summary>
    public static IReadOnlyList<AlertRule> Defaults { get; } =
    [
        new()
        {
            Name = "failure-rate",
            Kind = AlertKind.FailureRate,
            Threshold = 0.05,
            Hold = TimeSpan.FromMinutes(1),
        },
        new()
        {
            Name = "dead-letters",
            Kind = AlertKind.DeadLetters,
            Threshold = 1,
            Hold = TimeSpan.FromMinutes(1),
        },
        new()
        {
            Name = "oldest-message",
            Kind = AlertKind.OldestMessage,
            Threshold = 120,
            Hold = TimeSpan.FromMinutes(1),
        },
        new()
        {
            Name = "waiting-retries",
            Kind = AlertKind.WaitingRetries,
            Threshold = 30,
            Hold = TimeSpan.FromSeconds(30),
        },
        new()
        {
            Name = "backlog-growth",
            Kind = AlertKind.BacklogGrowth,
            Threshold = 5,
            Hold = TimeSpan.FromMinutes(3),
        },
        new()
        {
            Name = "no-workers",
            Kind = AlertKind.NoConsumers,
            Threshold = 0,
            Hold = TimeSpan.FromSeconds(30),
        },
        new()
        {
            Name = "outbox-lag",
            Kind = AlertKind.OutboxLag,
            Threshold = 30,
            Hold = TimeSpan.FromSeconds(30),
        },
        new()
        {
            Name = "breaker-open",
            Kind = AlertKind.BreakerOpen,
            Threshold = 0,
            Hold = TimeSpan.FromSeconds(30),
        },
        new()
        {
            Name = "incomplete-subjects",
            Kind = AlertKind.CompletenessGap,
            Threshold = 1,
            Hold = TimeSpan.FromMinutes(1),
        },
        new()
        {
            Name = "unusable-schedules",
            Kind = AlertKind.UnusableSchedules,
            Threshold = 0,
            Hold = TimeSpan.FromMinutes(1),
        },
        new()
        {
            Name = "topology",
            Kind = AlertKind.Topology,
            Threshold = 0,
            Hold = TimeSpan.Zero,
        },
        new()
        {
            Name = "broker-away",
            Kind = AlertKind.BrokerAway,
            Threshold = 0,
            Hold = TimeSpan.FromSeconds(30),
        },
    ];
}
