using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Orders.Testing.Tls;

/// <summary>
/// A web server with the certificate that a test gives it, or in plain text. It answers each request with 204, and
/// counts what it was sent.
/// </summary>
public sealed class TlsServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<SslProtocols> _requests = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TestCertificate? _certificate;
    private readonly Task _serving;

    /// <summary>Starts it.</summary>
    /// <param name="certificate">Its certificate; null for plain text.</param>
    public TlsServer(TestCertificate? certificate)
    {
        _certificate = certificate;
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Its address, with https whatever it speaks.</summary>
    public Uri Url => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>The protocol of each request that came in the end.</summary>
    public IReadOnlyCollection<SslProtocols> Requests => _requests;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await AnswerAsync(client);
            }
            catch (Exception gone) when (gone is IOException or AuthenticationException or SocketException)
            {
                // The client did not trust the certificate, and has left: what the tests ask for.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        var stream = client.GetStream();
        if (_certificate is null)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
            return;
        }

        using var certificate = _certificate.Load();
        await using var encrypted = new SslStream(stream);
        await encrypted.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = certificate }
        );
        var buffer = new byte[4096];
        // The head of a request: who refuses a certificate sends none.
        if (await encrypted.ReadAsync(buffer) == 0)
            return;
        _requests.Add(encrypted.SslProtocol);
        await encrypted.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
    }
}
