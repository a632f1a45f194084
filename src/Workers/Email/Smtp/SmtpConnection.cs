using System.Net.Sockets;
using MailKit.Net.Smtp;
using MimeKit;

namespace Orders.Workers.Email.Smtp;

/// <summary>One connection to the mail server, used by one mail at a time.</summary>
internal sealed class SmtpConnection : IDisposable
{
    // Many servers end a session after some hundred mails; better at a moment of our choosing than in the middle of
    // one.
    private const int MailsPerConnection = 100;

    private readonly SmtpClient _client;
    private readonly SmtpStream _stream;
    private int _mails;

    private SmtpConnection(SmtpClient client, SmtpStream stream) => (_client, _stream) = (client, stream);

    /// <summary>
    /// Whether it has carried a mail before: then the server may have closed it meanwhile, without any fault of the
    /// next mail.
    /// </summary>
    public bool IsReused => _mails > 1;

    /// <summary>Whether it can carry another mail.</summary>
    public bool IsUsable => _client.IsConnected && _mails < MailsPerConnection;

    /// <summary>When it was last given back, as <see cref="Environment.TickCount64"/>.</summary>
    public long IdleSince { get; set; }

    public static async Task<SmtpConnection> OpenAsync(SmtpOptions options, CancellationToken cancellationToken)
    {
        var client = new SmtpClient { LocalDomain = options.EhloName };
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Failpoint.Hit("email.before_connect", Outside.Smtp);
            await socket.ConnectAsync(options.Host, options.Port, cancellationToken);
            var stream = new SmtpStream(new NetworkStream(socket, ownsSocket: true));
            await client.ConnectAsync(stream, options.Host, options.Port, options.SocketOptions, cancellationToken);
            if (!string.IsNullOrEmpty(options.Username))
                await client.AuthenticateAsync(options.Username, options.Password ?? "", cancellationToken);
            return new SmtpConnection(client, stream);
        }
        catch
        {
            client.Dispose();
            socket.Dispose();
            throw;
        }
    }

    public async Task SendAsync(MimeMessage message, SmtpTransferMonitor handover, CancellationToken cancellationToken)
    {
        _mails++;
        Failpoint.Hit("email.before_send", Outside.Smtp);
        handover.Begin();
        _stream.Transfer = handover;
        try
        {
            await _client.SendAsync(message, cancellationToken, handover);
        }
        finally
        {
            _stream.Transfer = null;
        }

        Failpoint.Hit("email.after_send", Outside.Smtp);
    }

    /// <summary>Says goodbye, as far as the server listens, and closes.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.DisconnectAsync(quit: true, cancellationToken);
        }
        catch (Exception exception)
            when (exception
                    is IOException
                        or OperationCanceledException
                        or MailKit.ProtocolException
                        or MailKit.CommandException
            )
        {
            // QUIT is a courtesy. The connection carries no mail, so nothing is lost with it.
        }
        finally
        {
            _client.Dispose();
        }
    }

    public void Dispose() => _client.Dispose();
}
