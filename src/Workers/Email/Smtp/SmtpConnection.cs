using MailKit.Net.Smtp;
using MimeKit;
using MimeKit.IO;
using Orders.Smtp;

namespace Orders.Workers.Email.Smtp;

/// <summary>One connection to the mail server, used by one mail at a time.</summary>
internal sealed class SmtpConnection : IDisposable
{
    // Many servers end a session after some hundred mails; better at a moment of our choosing than in the middle of
    // one.
    private const int MailsPerConnection = 100;

    private static readonly FormatOptions Smtp = SmtpFormat();

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

    public static async Task<SmtpConnection> OpenAsync(SmtpConnector connector, CancellationToken cancellationToken)
    {
        Failpoint.Hit("email.before_connect", Outside.Smtp);
        SmtpStream? stream = null;
        var client = await connector.OpenAsync(network => stream = new SmtpStream(network), cancellationToken);
        return new SmtpConnection(client, stream!);
    }

    public async Task SendAsync(MimeMessage message, SmtpTransferMonitor handover, CancellationToken cancellationToken)
    {
        _mails++;
        ThrowIfTooLarge(message);
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

    // Known before anything is sent: a server may also end the connection in the middle of the text, which looks like
    // a fault that passes.
    private void ThrowIfTooLarge(MimeMessage message)
    {
        if (_client.MaxSize == 0)
            return;
        using var measure = new MeasuringStream();
        message.WriteTo(Smtp, measure);
        if (measure.Length > _client.MaxSize)
            throw new MailTooLargeException(measure.Length, _client.MaxSize);
    }

    private static FormatOptions SmtpFormat()
    {
        var format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        return format;
    }
}

/// <summary>The mail is larger than the server says in EHLO that it accepts.</summary>
internal sealed class MailTooLargeException(long size, long limit)
    : Exception($"the mail has {size} bytes, and the server accepts at most {limit} (SIZE in EHLO)");
