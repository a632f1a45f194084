using Microsoft.Extensions.Logging;
using QueueWorkers.Tls;
using RabbitMQ.Client;

namespace QueueWorkers.Messaging;

/// <summary>
/// One AMQP connection of the raw client, opened when it is needed and opened again when it was lost. Publishing has a
/// connection of its own:
/// when the broker blocks publishers (memory or disk alarm), consumers on their connection keep draining.
/// </summary>
public sealed class BrokerConnection(RabbitMqOptions options, ILogger<BrokerConnection> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IConnection? _connection;
    private volatile bool _blocked;

    /// <summary>Whether publishing makes sense now: connected, and not blocked by an alarm.</summary>
    public bool IsReady => _connection is { IsOpen: true } && !_blocked;

    /// <summary>
    /// Whether an alarm blocks it: the broker reads nothing of it then, so that whatever is asked on it waits for the
    /// end of the alarm.
    /// </summary>
    public bool IsBlocked => _blocked && _connection is { IsOpen: true };

    /// <summary>The open connection.</summary>
    /// <exception cref="RabbitMQ.Client.Exceptions.BrokerUnreachableException">The broker cannot be
    /// reached.</exception>
    public async Task<IConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (_connection is { IsOpen: true } open)
            return open;

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_connection is { IsOpen: true } opened)
                return opened;
            if (_connection is { } lost)
                await lost.DisposeAsync();

            Failpoint.Hit("relay.before_connect", Outside.Broker);
            var connection = await CreateFactory(options)
                .CreateConnectionAsync($"{AppDomain.CurrentDomain.FriendlyName} relay", cancellationToken);
            _blocked = false;
            connection.ConnectionBlockedAsync += (_, args) =>
            {
                _blocked = true;
                BrokerLog.Blocked(logger, args.Reason);
                return Task.CompletedTask;
            };
            connection.ConnectionUnblockedAsync += (_, _) =>
            {
                _blocked = false;
                BrokerLog.Unblocked(logger);
                return Task.CompletedTask;
            };
            return _connection = connection;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>How every raw connection is made.</summary>
    public static ConnectionFactory CreateFactory(RabbitMqOptions options)
    {
        var factory = new ConnectionFactory
        {
            // Of a cluster any node will do, tried in an order drawn anew for each connection: the load spreads, and a
            // dead node costs one failed try.
            EndpointResolverFactory = _ => new DefaultEndpointResolver(
                options.Hosts.Select(host => new AmqpTcpEndpoint(
                    host,
                    options.EffectivePort,
                    Encryption(options, host)
                ))
            ),
            VirtualHost = options.VirtualHost,
            UserName = options.Username,
            Password = options.Password,
            // The client gives a silent connection up after 2.25 to 2.5 heartbeats: 20 s, within the 25 that are
            // promised. NetworkTests holds it to that.
            RequestedHeartbeat = TimeSpan.FromSeconds(8),
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            // The relay decides itself when to try again, and what was outstanding must fail rather than hang.
            AutomaticRecoveryEnabled = false,
        };
        HandshakeTimeoutClient.UseIn(factory);
        return factory;
    }

    /// <summary>Says in a sentence why there is no connection.</summary>
    public string Explain(Exception fault) => BrokerFault.Describe(fault, options);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        _gate.Dispose();
    }

    private static SslOption Encryption(RabbitMqOptions options, string host) =>
        new(host, enabled: options.Tls)
        {
            Version = ServerTrust.Protocols,
            CertificateValidationCallback = options.Trust.Require,
        };
}
