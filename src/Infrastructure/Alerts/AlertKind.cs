namespace Orders.Infrastructure.Alerts;

/// <summary>What a rule watches. Stored as its number.</summary>
public enum AlertKind : short
{
    /// <summary>More than a share of the runs of a step end parked. Threshold: the share, 0–1.</summary>
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

    /// <summary>Accepted orders lack an effect after their deadline, or have one twice. Threshold: how many.</summary>
    CompletenessGap = 7,

    /// <summary>Messages are parked and wait for an operator. Threshold: how many.</summary>
    Parked = 8,

    /// <summary>RabbitMQ gives no figures. No threshold.</summary>
    BrokerAway = 9,

    /// <summary>A queue, an exchange or a binding is missing or was lately, or a policy limits a queue. No threshold.</summary>
    Topology = 10,
}
