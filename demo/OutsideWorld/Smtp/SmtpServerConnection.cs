using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// Lines in, replies out. Replies are collected and sent when the next line has to be waited for, which is what makes
/// PIPELINING one packet each way. Only CRLF ends a line: a server that also takes a bare LF can be made to see two
/// mails in one (SMTP smuggling).
/// </summary>
internal sealed class SmtpServerConnection : IDisposable
{
    private readonly Socket socket;
    private Stream stream;
    private readonly CancellationTokenSource open;
    private readonly ArrayBufferWriter<byte> replies = new(512);
    private readonly byte[] buffer = new byte[16 * 1024];
    private int collected;
    private int start;
    private int end;

    /// <summary>Takes over a socket.</summary>
    /// <param name="socket">The accepted socket; closed by <see cref="Dispose"/>.</param>
    /// <param name="closing">Cancelled when the server goes down: every wait ends with
    /// <see cref="OperationCanceledException"/>.</param>
    public SmtpServerConnection(Socket socket, CancellationToken closing)
    {
        this.socket = socket;
        socket.NoDelay = true;
        stream = new NetworkStream(socket, ownsSocket: true);
        open = CancellationTokenSource.CreateLinkedTokenSource(closing);
    }

    /// <summary>Reads the next line, sending the collected replies first if it has to be waited for.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="OperationCanceledException">The server goes down, or the client was silent for too
    /// long.</exception>
    public async ValueTask<SmtpLine> ReadLineAsync()
    {
        var tooLong = false;
        while (true)
        {
            var waiting = buffer.AsMemory(start, end - start);
            var length = waiting.Span.IndexOf("\r\n"u8);
            if (length >= 0)
            {
                start += length + 2;
                return tooLong || length + 2 > SmtpLimits.Line ? SmtpLine.TooLong : new SmtpLine(waiting[..length]);
            }

            if (waiting.Length > SmtpLimits.Line)
            {
                // Forget what is too long anyway, but for a CR: its LF may be the next byte.
                tooLong = true;
                start = waiting.Span[^1] == (byte)'\r' ? end - 1 : end;
            }

            if (!await FillAsync())
                return SmtpLine.End;
        }
    }

    /// <summary>Collects a reply of one or more lines, without CRLF at its end.</summary>
    public void Reply(string text)
    {
        replies.Write(Encoding.ASCII.GetBytes(text));
        replies.Write("\r\n"u8);
        collected++;
    }

    /// <summary>Sends the collected replies.</summary>
    public async ValueTask FlushAsync()
    {
        if (replies.WrittenCount == 0)
            return;
        Answered?.Invoke(collected);
        collected = 0;
        open.CancelAfter(SmtpLimits.Silence);
        await stream.WriteAsync(replies.WrittenMemory, open.Token);
        replies.ResetWrittenCount();
    }

    /// <summary>Keeps the client waiting; what was answered before is sent first.</summary>
    public async Task HoldAsync(TimeSpan delay)
    {
        await FlushAsync();
        open.CancelAfter(Timeout.InfiniteTimeSpan);
        await Task.Delay(delay, open.Token);
    }

    /// <summary>Told how many replies are sent at once: as many commands came without waiting.</summary>
    public Action<int>? Answered { get; set; }

    /// <summary>Whether TLS protects it.</summary>
    public bool IsEncrypted => stream is SslStream;

    /// <summary>
    /// Sends the collected replies and encrypts from here on. What the client has sent in plain text behind its
    /// STARTTLS is forgotten (RFC 3207, 6).
    /// </summary>
    /// <exception cref="AuthenticationException">The client does not trust the certificate, or speaks no
    /// TLS.</exception>
    public async Task EncryptAsync(X509Certificate2 certificate)
    {
        await FlushAsync();
        (start, end) = (0, 0);
        var encrypted = new SslStream(stream);
        stream = encrypted;
        open.CancelAfter(SmtpLimits.Silence);
        await encrypted.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = certificate },
            open.Token
        );
    }

    /// <summary>Breaks the connection with a reset, throwing collected replies away.</summary>
    public void Cut() => socket.Close(0);

    public void Dispose()
    {
        stream.Dispose();
        open.Dispose();
    }

    private async ValueTask<bool> FillAsync()
    {
        await FlushAsync();
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        open.CancelAfter(SmtpLimits.Silence);
        var read = await stream.ReadAsync(buffer.AsMemory(end), open.Token);
        end += read;
        return read > 0;
    }
}
