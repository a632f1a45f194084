using System.Net.Sockets;
using RabbitMQ.Client;

namespace QueueWorkers.Messaging;

/// <summary>
/// A TCP connection to a broker that has to speak first in time. The client's own time limits begin with its first
/// request, and MassTransit passes none:
/// a broker whose kernel takes the connection while its process is frozen, or whose answer is lost with the network,
/// would be waited for without an end (found by chaos seed 4711: a worker took no message for the rest of its life).
/// Giving up here is an ordinary failed try, and the next one follows.
/// </summary>
internal sealed class HandshakeTimeoutClient(Socket socket) : TcpClientAdapter(socket)
{
    /// <summary>How long the broker may take for its first byte.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Lets a factory make such connections.</summary>
    public static void UseIn(ConnectionFactory factory) =>
        factory.SocketFactory = family => new HandshakeTimeoutClient(
            new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
        );

    /// <inheritdoc />
    public override NetworkStream GetStream() => new HandshakeTimeoutStream(Client);

    private sealed class HandshakeTimeoutStream(Socket socket) : NetworkStream(socket, ownsSocket: false)
    {
        private bool _greeted;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _greeted ? base.ReadAsync(buffer, cancellationToken) : GreetAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        private async ValueTask<int> GreetAsync(Memory<byte> buffer, CancellationToken cancellationToken)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            try
            {
                var read = await base.ReadAsync(buffer, limit.Token);
                _greeted = true;
                return read;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SilentBrokerException(
                    $"The broker took the connection and said nothing for {Patience.TotalSeconds:0} s."
                );
            }
        }
    }
}

/// <summary>A broker has taken a connection and says nothing.</summary>
/// <param name="message">What was waited for, and how long.</param>
public sealed class SilentBrokerException(string message) : IOException(message);
