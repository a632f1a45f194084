using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Messaging;

/// <summary>What a failed call to the broker means.</summary>
public static class BrokerFault
{
    /// <summary>True when the broker cannot be used now: not there, going down, or the connection was lost.</summary>
    public static bool IsUnavailable(Exception exception) =>
        exception is RabbitMQClientException or IOException
        || (exception.InnerException is { } inner && IsUnavailable(inner));

    /// <summary>
    /// True when the broker answers and refuses this process: wrong password, no such virtual host, or no access to it.
    /// </summary>
    public static bool IsRefusedLogin(Exception exception) => Refusal(exception) is not null;

    /// <summary>
    /// True when the broker takes connections, or has taken one, and says nothing: its process is frozen, the network
    /// swallows what is sent, or this process's own connection hangs. Not true of a host that takes no connection, such
    /// as one that is switched off, and of several hosts only when all are silent.
    /// </summary>
    public static bool IsSilent(Exception exception) =>
        exception switch
        {
            ConnectFailureException => false,
            SilentBrokerException or TimeoutException => true,
            SocketException { SocketErrorCode: SocketError.TimedOut } => true,
            AggregateException several => several.InnerExceptions.All(IsSilent),
            _ => exception.InnerException is { } inner && IsSilent(inner),
        };

    /// <summary>Says in a sentence why a connection could not be opened, and what to check.</summary>
    public static string Describe(Exception exception, RabbitMqOptions options) =>
        // With the dot of a sentence's end left out, as the others.
        ExplainTls(exception, options)?.TrimEnd('.')
        ?? Refusal(exception) switch
        {
            OperationInterruptedException refused =>
                $"RabbitMQ refused user {options.Username} at virtual host '{options.VirtualHost}': {Text(refused)}; "
                    + "check RabbitMq__VirtualHost, and run `deploy` if the virtual host is new",
            { } refused =>
                $"RabbitMQ refused the login of user {options.Username}: {refused.Message}; check RabbitMq__Username and RabbitMq__Password",
            null when IsSilent(exception) =>
                $"RabbitMQ at {options.Host} does not answer on its connection: {Innermost(exception).Message}",
            null => $"RabbitMQ at {options.Host} cannot be reached: {Innermost(exception).Message}",
        };

    /// <summary>A sentence on a connection that failed for TLS; null when it failed for something else.</summary>
    public static string? ExplainTls(Exception exception, RabbitMqOptions options) =>
        // The management API's faults say it themselves.
        exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            ? exception.Message
            : options.Trust.Explain(exception);

    private static Exception? Refusal(Exception exception) =>
        exception switch
        {
            AuthenticationFailureException => exception,
            OperationInterruptedException
            {
                ShutdownReason.ReplyCode: Constants.NotAllowed or Constants.AccessRefused
            } => exception,
            AggregateException several => several.InnerExceptions.Select(Refusal).FirstOrDefault(e => e is not null),
            _ => exception.InnerException is { } inner ? Refusal(inner) : null,
        };

    private static string Text(OperationInterruptedException refused) =>
        refused.ShutdownReason?.ReplyText ?? refused.Message;

    private static Exception Innermost(Exception exception) =>
        exception.InnerException is { } inner ? Innermost(inner) : exception;
}
