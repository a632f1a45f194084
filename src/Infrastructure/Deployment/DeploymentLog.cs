using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Deployment;

/// <summary>Log events of the deployment, 3000–3099.</summary>
internal static partial class DeploymentLog
{
    [LoggerMessage(3000, LogLevel.Information, "The broker has the topology of {Count} steps: {Steps}")]
    public static partial void BrokerDeployed(ILogger logger, int count, string steps);

    [LoggerMessage(3001, LogLevel.Information, "The database is at migration {Migration}; {Applied} applied now")]
    public static partial void DatabaseDeployed(ILogger logger, string migration, int applied);

    [LoggerMessage(3002, LogLevel.Information, "{What} is not there yet ({Reason}); trying again")]
    public static partial void Waiting(ILogger logger, string what, string reason);

    [LoggerMessage(3003, LogLevel.Information, "Role {Role} may do what it needs")]
    public static partial void RoleDeployed(ILogger logger, string role);

    [LoggerMessage(3004, LogLevel.Warning, "Queue {Queue} is no longer a subscriber of {Exchange}: nothing new is announced to it; name it in Deploy__Subscriptions__{Queue} if that was not meant")]
    public static partial void SubscriptionEnded(ILogger logger, string queue, string exchange);

    [LoggerMessage(3005, LogLevel.Warning, "Queue {Queue} has limits by policy {Policy}: {Limits}. Messages over them are dropped or refused; remove them from the policy")]
    public static partial void QueueLimited(ILogger logger, string queue, string policy, string limits);
}
