using Microsoft.Extensions.Configuration;

namespace QueueWorkers.Deployment;

/// <summary>
/// Names of users and of the variables that hold their passwords: <c>orders_email</c>, <c>EMAIL_DB_PASSWORD</c>,
/// <c>EMAIL_MQ_PASSWORD</c>.
/// </summary>
public static class ProcessCredentials
{
    /// <summary>The user of a process, in PostgreSQL and in RabbitMQ.</summary>
    public static string UserOf(string process) => "orders_" + process.Replace('-', '_');

    /// <summary>The PostgreSQL password; null when none is configured.</summary>
    public static string? DatabasePassword(IConfiguration configuration, string process) =>
        Read(configuration, process, "DB");

    /// <summary>The RabbitMQ password; null when none is configured.</summary>
    public static string? BrokerPassword(IConfiguration configuration, string process) =>
        Read(configuration, process, "MQ");

    private static string? Read(IConfiguration configuration, string process, string kind) =>
        configuration[$"{process.Replace('-', '_').ToUpperInvariant()}_{kind}_PASSWORD"] is { Length: > 0 } password
            ? password
            : null;
}
