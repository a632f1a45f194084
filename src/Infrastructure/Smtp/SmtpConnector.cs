using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using QueueWorkers.Tls;

namespace Orders.Smtp;

/// <summary>
/// Opens sessions with the mail server: connects, encrypts, checks the certificate and logs in. No mail has begun when
/// it fails.
/// </summary>
public sealed class SmtpConnector(SmtpOptions options) : IDisposable
{
    private readonly ServerTrust _trust = options.Trust;
    private readonly AccessTokens _tokens = new(options.OAuth);

    /// <summary>Opens one session. The caller disposes of the client, which closes the connection.</summary>
    /// <param name="wrap">What stands between MailKit and the socket; null for nothing.</param>
    /// <param name="cancellationToken">The time limit.</param>
    /// <exception cref="SmtpLoginException">A secret or a token could not be had.</exception>
    /// <exception cref="SmtpCertificateException">The certificate is not trusted.</exception>
    /// <exception cref="AuthenticationException">The login was refused.</exception>
    /// <exception cref="NotSupportedException">The server offers no STARTTLS, or no login.</exception>
    public async Task<SmtpClient> OpenAsync(Func<Stream, Stream>? wrap, CancellationToken cancellationToken)
    {
        var client = new SmtpClient
        {
            LocalDomain = options.EhloName,
            CheckCertificateRevocation = options.CheckRevocation,
            SslProtocols = ServerTrust.Protocols,
        };
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        string? distrust = null;
        client.ServerCertificateValidationCallback = (_, certificate, chain, errors) =>
            (distrust = _trust.WhyNot([options.Host], certificate, chain, errors)) is null;
        try
        {
            await socket.ConnectAsync(options.Host, options.Port, cancellationToken);
            var network = new NetworkStream(socket, ownsSocket: true);
            await client.ConnectAsync(
                wrap?.Invoke(network) ?? network,
                options.Host,
                options.Port,
                options.SocketOptions,
                cancellationToken
            );
            if (options.HasLogin)
                await LogInAsync(client, cancellationToken);
            // Else MailKit sends an international domain as it is written, which every server on the way must
            // understand. As punycode it needs none. Local parts are ASCII in this system.
            client.Capabilities &= ~SmtpCapabilities.UTF8;
            return client;
        }
        catch (SslHandshakeException exception) when (distrust is not null)
        {
            Close(client, socket);
            throw new SmtpCertificateException(distrust, exception);
        }
        catch (SslHandshakeException exception) when (_trust.Explain(exception) is { } why)
        {
            Close(client, socket);
            throw new SmtpCertificateException(why, exception);
        }
        catch
        {
            Close(client, socket);
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _tokens.Dispose();

    private static void Close(SmtpClient client, Socket socket)
    {
        client.Dispose();
        socket.Dispose();
    }

    private async Task LogInAsync(SmtpClient client, CancellationToken cancellationToken)
    {
        var user = await SecretFile.ReadAsync(options.Username, options.UsernameFile, cancellationToken);
        if (!options.OAuth.IsSet)
        {
            var password = await SecretFile.ReadAsync(options.Password, options.PasswordFile, cancellationToken);
            await client.AuthenticateAsync(user, password, cancellationToken);
            return;
        }

        var token = await _tokens.GetAsync(refused: null, cancellationToken);
        try
        {
            await client.AuthenticateAsync(new SaslMechanismOAuth2(user, token), cancellationToken);
        }
        catch (AuthenticationException)
        {
            // A token may be withdrawn before it expires. A new one is tried once.
            var next = await _tokens.GetAsync(refused: token, cancellationToken);
            if (next == token)
                throw;
            await client.AuthenticateAsync(new SaslMechanismOAuth2(user, next), cancellationToken);
        }
    }
}
