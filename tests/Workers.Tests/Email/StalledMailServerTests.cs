using System.Net;
using System.Net.Sockets;
using Orders.Contracts;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that nobody can ask afterwards falls silent at one command of a mail, and breaks off (issue 15, 8): up
/// to the final dot nothing is claimed, so a process that dies there leaves nothing to decide on.
/// </summary>
public sealed class StalledMailServerTests : InstallationFixture
{
    [TestCase("MAIL")]
    [TestCase("RCPT")]
    [TestCase("DATA")]
    public async Task Nothing_is_claimed_before_the_text_of_the_mail_is_out(string command)
    {
        await using var server = new StallingServer(command);
        await using var host = await StartAsync(
            "email",
            ("Email:ReceiptsUrl", null),
            ("Email:ReceiptsOf", null),
            ("Email:Smtp:Port", $"{server.Port}")
        );
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        await server.Stalled.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = $1", order),
            Is.Zero,
            "a process that died here would leave an uncertain mail"
        );

        server.BreakOff();
        await UntilInTheEndAsync(order, "email", StepStatus.Done);
        Assert.That(server.Mails, Is.EqualTo(1), "mails accepted");
    }

    /// <summary>Takes mails, but falls silent once at a command.</summary>
    private sealed class StallingServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly string _command;
        private readonly Task _serving;
        private int _mails;

        public StallingServer(string command)
        {
            _command = command;
            _listener.Start();
            _serving = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        /// <summary>The command has come.</summary>
        public Task Stalled => _stalled.Task;

        public int Mails => Volatile.Read(ref _mails);

        /// <summary>Closes the connection that waits.</summary>
        public void BreakOff() => _broken.TrySetResult();

        public async ValueTask DisposeAsync()
        {
            BreakOff();
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            var sessions = new List<Task>();
            try
            {
                while (true)
                    sessions.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
            }
            catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
            {
                await Task.WhenAll(sessions);
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                try
                {
                    using var reader = new StreamReader(client.GetStream());
                    await using var writer = new StreamWriter(client.GetStream())
                    {
                        NewLine = "\r\n",
                        AutoFlush = true,
                    };
                    await writer.WriteLineAsync("220 stalling.example");
                    while (await reader.ReadLineAsync() is { } line)
                    {
                        if (line.StartsWith(_command, StringComparison.Ordinal) && _stalled.TrySetResult())
                        {
                            await _broken.Task;
                            return;
                        }

                        await AnswerAsync(line, reader, writer);
                    }
                }
                catch (IOException)
                {
                    // The client has closed its end.
                }
            }
        }

        private async Task AnswerAsync(string line, StreamReader reader, StreamWriter writer)
        {
            if (!line.StartsWith("DATA", StringComparison.Ordinal))
            {
                await writer.WriteLineAsync(line.StartsWith("QUIT", StringComparison.Ordinal) ? "221 bye" : "250 ok");
                return;
            }

            await writer.WriteLineAsync("354 go on");
            while (await reader.ReadLineAsync() is { } text && text != ".") { }
            Interlocked.Increment(ref _mails);
            await writer.WriteLineAsync("250 accepted");
        }
    }
}
