using Microsoft.Extensions.Logging;

namespace QueueWorkers.Deployment;

/// <summary>Log events of the deployment, 3000–3099.</summary>
internal static partial class DeploymentLog
{
    [LoggerMessage(3000, LogLevel.Information, "Topology was declared: {Count} steps, {Steps}")]
    public static partial void BrokerDeployed(ILogger logger, int count, string steps);

    [LoggerMessage(3001, LogLevel.Information, "Database was migrated: {Migration}, {Applied} applied now")]
    public static partial void DatabaseDeployed(ILogger logger, string migration, int applied);

    [LoggerMessage(3002, LogLevel.Information, "{What} was not ready; trying again. {Reason}")]
    public static partial void Waiting(ILogger logger, string what, string reason);

    [LoggerMessage(
        3003,
        LogLevel.Information,
        "Role was given its rights: {Role}, rights granted now: {Granted}, revoked now: {Revoked}"
    )]
    public static partial void RoleDeployed(ILogger logger, string role, int granted, string revoked);

    [LoggerMessage(
        3004,
        LogLevel.Warning,
        "Queue was unsubscribed: {Queue} from {Exchange}. To keep it, name it in Deploy__Subscriptions__{Queue}"
    )]
    public static partial void SubscriptionEnded(ILogger logger, string queue, string exchange);

    [LoggerMessage(
        3005,
        LogLevel.Warning,
        "Queue has limits by policy, messages over them are dropped or refused: {Queue}, policy {Policy}, {Limits}. Remove them from the policy"
    )]
    public static partial void QueueLimited(ILogger logger, string queue, string policy, string limits);

    [LoggerMessage(
        3006,
        LogLevel.Information,
        "Role kept rights that this version does not need, because another build is connected: {Role}, {Rights}, {Processes}. Deploy once more when that build is gone"
    )]
    public static partial void RightsKept(ILogger logger, string role, string rights, string processes);

    [LoggerMessage(
        3007,
        LogLevel.Information,
        "Another deployment was found under way; this one waits until it has ended: {Other}"
    )]
    public static partial void WaitingForOther(ILogger logger, string other);

    [LoggerMessage(3008, LogLevel.Information, "Deployment met another one; trying again. {Reason}")]
    public static partial void MetAnother(ILogger logger, string reason);
}
