using System.Net;
using System.Net.Sockets;
using System.Text;
using Orders.Dashboard.Alerts;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Tests.Alerts;

/// <summary>A receiver of alerts that means harm: it sends them elsewhere, or answers without an end.</summary>
public sealed class AlertWebhookTests
{
    private static readonly Alert Alert = new() { Rule = "no-workers", Says = "Nobody works." };

    [TestCase(301)]
    [TestCase(302)]
    [TestCase(307)]
    [TestCase(308)]
    public async Task A_redirect_does_not_take_an_alert_and_its_token_elsewhere(int status)
    {
        await using var elsewhere = new RawServer((_, _) => Task.CompletedTask);
        await using var hook = new RawServer(
            (stream, stopping) =>
                stream
                    .WriteAsync(
                        Encoding.ASCII.GetBytes(
                            $"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.Address}\r\nContent-Length: 0\r\n\r\n"
                        ),
                        stopping
                    )
                    .AsTask()
        );
        using var receiver = Receiver(hook);

        Assert.That(
            () => receiver.TellAsync(Alert, CancellationToken.None),
            Throws.TypeOf<HttpRequestException>().With.Message.Contains("redirect").And.Message.Contains($"{status}")
        );
        Assert.That(elsewhere.Connections, Is.Zero);
    }

    [Test]
    public async Task An_answer_without_an_end_is_not_read()
    {
        var ended = new TaskCompletionSource();
        await using var hook = new RawServer(
            async (stream, stopping) =>
            {
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), stopping);
                var chunk = Encoding.ASCII.GetBytes($"1000\r\n{new string('x', 0x1000)}\r\n");
                try
                {
                    while (!stopping.IsCancellationRequested)
                        await stream.WriteAsync(chunk, stopping);
                }
                catch (IOException)
                {
                    ended.SetResult();
                }
            }
        );
        using var receiver = Receiver(hook);

        await receiver.TellAsync(Alert, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1));
        Assert.That(
            async () => await ended.Task.WaitAsync(TimeSpan.FromMinutes(1)),
            Throws.Nothing,
            "the connection is closed, the rest is not taken"
        );
    }

    [Test]
    public async Task Headers_without_an_end_are_not_read()
    {
        await using var hook = new RawServer(
            async (stream, stopping) =>
            {
                await stream.WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stopping);
                var header = Encoding.ASCII.GetBytes($"X-More: {new string('x', 1000)}\r\n");
                try
                {
                    while (!stopping.IsCancellationRequested)
                        await stream.WriteAsync(header, stopping);
                }
                catch (IOException)
                {
                    // The receiver has had enough.
                }
            }
        );
        using var receiver = Receiver(hook);

        Assert.That(
            () => receiver.TellAsync(Alert, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1)),
            Throws.TypeOf<HttpRequestException>()
        );
    }

    private static WebhookReceiver Receiver(RawServer hook) =>
        new(new AlertOptions { WebhookUrl = hook.Address, WebhookToken = "let me in" });

    /// <summary>Answers each request with raw bytes.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _work;
        private int _connections;

        public RawServer(Func<NetworkStream, CancellationToken, Task> answer)
        {
            _listener.Start();
            _work = WorkAsync(answer);
        }

        public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/alerts");

        public int Connections => _connections;

        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            _listener.Stop();
            await _work;
            _stopping.Dispose();
        }

        private async Task WorkAsync(Func<NetworkStream, CancellationToken, Task> answer)
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                    Interlocked.Increment(ref _connections);
                    await using var stream = client.GetStream();
                    var (buffer, request) = (new byte[8192], "");
                    while (!request.Contains("\r\n\r\n", StringComparison.Ordinal))
                    {
                        if (await stream.ReadAsync(buffer, _stopping.Token) is not (> 0 and var read))
                            break;
                        request += Encoding.ASCII.GetString(buffer, 0, read);
                    }

                    await answer(stream, _stopping.Token);
                }
            }
            catch (Exception over)
                when (_stopping.IsCancellationRequested
                    && over is OperationCanceledException or SocketException or InvalidOperationException
                )
            {
                // The test is over.
            }
        }
    }
}
