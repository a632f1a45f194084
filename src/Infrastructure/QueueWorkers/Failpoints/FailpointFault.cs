#if FAILPOINTS
using System.Net.Sockets;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Failpoints;

/// <summary>Faults of the types that the libraries throw when a connection breaks or nobody answers.</summary>
internal static class FailpointFault
{
    public static Exception Of(Outside call, string name, bool timedOut)
    {
        var cause = timedOut
            ? (Exception)new TimeoutException($"failpoint {name}")
            : new IOException($"failpoint {name}", new SocketException((int)SocketError.ConnectionReset));
        return call switch
        {
            Outside.Database => new NpgsqlException(
                timedOut ? "Exception while reading from stream" : "Exception while writing to stream",
                cause
            ),
            Outside.Broker when !timedOut => new AlreadyClosedException(
                new ShutdownEventArgs(ShutdownInitiator.Library, 0, $"failpoint {name}")
            ),
            Outside.Http when timedOut => new TaskCanceledException("The request was canceled.", cause),
            Outside.Http => new HttpRequestException(
                HttpRequestError.ConnectionError,
                "An error occurred while sending the request.",
                cause
            ),
            _ => cause,
        };
    }
}
#endif
