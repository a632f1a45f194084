namespace QueueWorkers.Monitoring.Alerts;

/// <summary>What a rule watches. Stored as its number.</summary>
public enum AlertKind : short
{
    /// <summary>More than a share of the runs of a step end dead-lettered. Threshold: the share, 0–1.</summary>
    FailureRate = 1,

    /// <summary>The oldest message of a queue has waited long. Threshold: seconds.</summary>
    OldestMessage = 2,

    /// <summary>A queue's backlog grows. Threshold: messages a second.</summary>
    BacklogGrowth = 3,

    /// <summary>A step has no worker. No threshold.</summary>
    NoConsumers = 4,

    /// <summary>A message is late in the outbox. Threshold: seconds.</summary>
    OutboxLag = 5,

    /// <summary>A dependency's breaker is open. No threshold.</summary>
    BreakerOpen = 6,

    /// <summary>
    /// Accepted subjects lack an effect after their deadline, or have one twice. Threshold: how many.
    /// </summary>
    CompletenessGap = 7,

    /// <summary>Messages are dead-lettered and wait for an operator. Threshold: how many.</summary>
    DeadLetters = 8,

    /// <summary>RabbitMQ gives no figures. No threshold.</summary>
    BrokerAway = 9,

    /// <summary>
    /// A queue, an exchange or a binding is missing or was lately, or a policy limits a queue. No threshold.
    /// </summary>
    Topology = 10,

    /// <summary>
    /// Messages of a step that subjects wait for have waited long for their next attempt. Threshold: seconds.
    /// </summary>
    WaitingRetries = 11,

    /// <summary>
    /// A schedule that an operator has created or changed does not fire, and is not paused. No threshold.
    /// </summary>
    UnusableSchedules = 12,
}
