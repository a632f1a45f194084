using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// Accepts SMTP connections, at most <see cref="SmtpLimits.Sessions"/> at once, and shuts its door while it plays
/// "down".
/// </summary>
internal sealed class SmtpServer(
    IOptions<OutsideWorldOptions> options,
    Behaviour behaviour,
    MailHandler room,
    SmtpCertificates certificates,
    ILogger<SmtpServer> logger
) : IHostedService, IDisposable
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<Task, bool> sessions = new();
    private SmtpListener? door;
    private int sessionCount;
    private int talking;
    private int turnedAway;
    private int largestPipeline;

    /// <summary>How many connections were turned away because three were open.</summary>
    public int TurnedAway => Volatile.Read(ref turnedAway);

    /// <summary>The most commands that waited in one connection for their replies.</summary>
    public int LargestPipeline => Volatile.Read(ref largestPipeline);

    /// <summary>The port it has taken; 0 before it is started.</summary>
    public int Port => door?.Port ?? 0;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var given = options.Value;
        door = new SmtpListener(IPAddress.Parse(given.SmtpHost), given.SmtpPort);
        behaviour.Smtp.Changed += Follow;
        Follow(behaviour.Smtp.Current);
        logger.SmtpListens(given.SmtpHost, door.Port);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        // Sessions end with their token. One that does not is left to the end of the process: nothing is lost, every
        // mail is on record before its answer.
        await Task.WhenAny(Task.WhenAll(sessions.Keys), Task.Delay(Farewell, cancellationToken));
    }

    public void Dispose()
    {
        behaviour.Smtp.Changed -= Follow;
        lock (gate)
            door?.Dispose();
    }

    private void Follow(FaultProfile<SmtpMode> profile)
    {
        lock (gate)
        {
            if (profile is not { Mode: SmtpMode.Down, Share: 1m })
                door!.Open((socket, closing) => _ = AcceptAsync(socket, closing));
            else if (door!.Shut())
                logger.SmtpDown(door.Port);
        }
    }

    private async Task AcceptAsync(Socket listener, CancellationToken closing)
    {
        while (!closing.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptAsync(closing);
                var session = Task.Run(() => ServeAsync(client, closing), CancellationToken.None);
                sessions[session] = true;
                _ = session.ContinueWith(done => sessions.TryRemove(done, out _), TaskScheduler.Default);
            }
            catch (Exception problem)
                when (problem is OperationCanceledException or ObjectDisposedException
                    || closing.IsCancellationRequested
                )
            {
                return;
            }
            catch (SocketException problem)
            {
                // Out of file handles, mostly. Without the pause this would spin; with it, waiting clients stay in the
                // backlog.
                logger.SmtpAcceptFailed(problem);
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken closing)
    {
        var number = Interlocked.Increment(ref sessionCount);
        try
        {
            using var connection = new SmtpServerConnection(client, closing);
            if (IsHitByDown())
            {
                connection.Cut();
            }
            else if (number > SmtpLimits.Sessions)
            {
                connection.Reply("421 4.3.2 too many sessions: at most 200 at once");
                await connection.FlushAsync();
            }
            else
            {
                await TalkAsync(connection);
            }
        }
        catch (Exception gone)
            when (gone
                    is IOException
                        or SocketException
                        or AuthenticationException
                        or OperationCanceledException
                        or ObjectDisposedException
            )
        {
            logger.SmtpClientLeft(gone.Message);
        }
        catch (Exception problem)
        {
            logger.SmtpSessionFailed(problem);
        }
        finally
        {
            Interlocked.Decrement(ref sessionCount);
        }
    }

    private async Task TalkAsync(SmtpServerConnection connection)
    {
        var mode = behaviour.Smtp.Current.Mode;
        try
        {
            if (Interlocked.Increment(ref talking) > SmtpLimits.FewConnections && mode == SmtpMode.FewConnections)
            {
                Interlocked.Increment(ref turnedAway);
                connection.Reply("421 4.7.0 too many connections: at most 3 at once");
                await connection.FlushAsync();
                return;
            }

            connection.Answered = Pipelined;
            if (mode == SmtpMode.AuthTls)
                await connection.EncryptAsync(certificates.Server);
            await new SmtpSession(connection, room, certificates, options.Value).RunAsync();
        }
        finally
        {
            Interlocked.Decrement(ref talking);
        }
    }

    private void Pipelined(int found)
    {
        for (var known = largestPipeline; found > known; )
        {
            var before = Interlocked.CompareExchange(ref largestPipeline, found, known);
            if (before == known)
                return;
            known = before;
        }
    }

    private bool IsHitByDown() => behaviour.Smtp.Current.Mode == SmtpMode.Down && behaviour.Smtp.Next() is not null;
}
