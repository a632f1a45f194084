using Microsoft.Extensions.Logging;

namespace QueueWorkers.Deployment;

/// <summary>Log events of the deployment, 3000–3099.</summary>
internal static partial class DeploymentLog
{
    [LoggerMessage(3000, LogLevel.Information, "The broker has the topology of {Count} steps: {Steps}")]
    public static partial void BrokerDeployed(ILogger logger, int count, string steps);

    [LoggerMessage(3001, LogLevel.Information, "The database is at migration {Migration}; {Applied} applied now")]
    public static partial void DatabaseDeployed(ILogger logger, string migration, int applied);

    [LoggerMessage(3002, LogLevel.Information, "{What} is not there yet ({Reason}); trying again")]
    public static partial void Waiting(ILogger logger, string what, string reason);

    [LoggerMessage(
        3003,
        LogLevel.Information,
        "Role {Role} may do what it needs; rights granted now: {Granted}, revoked now: {Revoked}"
    )]
    public static partial void RoleDeployed(ILogger logger, string role, int granted, string revoked);

    [LoggerMessage(
        3004,
        LogLevel.Warning,
        "Queue {Queue} is no longer a subscriber of {Exchange}: nothing new is published to it; name it in Deploy__Subscriptions__{Queue} if that was not meant"
    )]
    public static partial void SubscriptionEnded(ILogger logger, string queue, string exchange);

    [LoggerMessage(
        3005,
        LogLevel.Warning,
        "Queue {Queue} has limits by policy {Policy}: {Limits}. Messages over them are dropped or refused; remove them from the policy"
    )]
    public static partial void QueueLimited(ILogger logger, string queue, string policy, string limits);

    [LoggerMessage(
        3006,
        LogLevel.Information,
        "Role {Role} keeps rights that this version does not need: {Rights}. Processes of another build are connected: {Processes}. Deploy once more when they are gone; that revokes them"
    )]
    public static partial void RightsKept(ILogger logger, string role, string rights, string processes);

    [LoggerMessage(
        3007,
        LogLevel.Information,
        "Another deployment is under way ({Other}); this one waits until it has ended"
    )]
    public static partial void WaitingForOther(ILogger logger, string other);

    [LoggerMessage(3008, LogLevel.Information, "The deployment met another one ({Reason}); trying again")]
    public static partial void MetAnother(ILogger logger, string reason);
}
