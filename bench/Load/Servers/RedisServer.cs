using System.Globalization;
using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Servers;

/// <summary>
/// A private Redis process as BullMQ's production guide asks for: append-only file flushed each second, nothing
/// evicted.
/// </summary>
public sealed class RedisServer : IBroker
{
    private readonly ChildProcess process;
    private readonly string port;

    private RedisServer(ChildProcess process, string port)
    {
        this.process = process;
        this.port = port;
        Account = new ProcessTree("redis", process.Id);
    }

    public int Port => int.Parse(port, CultureInfo.InvariantCulture);

    public IResourceAccount Account { get; }

    public static async Task<RedisServer> StartAsync(string workFolder, CancellationToken cancel)
    {
        var port = FreePort.Next().ToString(CultureInfo.InvariantCulture);
        var data = Directory.CreateDirectory(Path.Combine(workFolder, "redis")).FullName;
        var process = ChildProcess.Start(
            new ChildProgram(
                "redis",
                "redis-server",
                [
                    "--bind",
                    "127.0.0.1",
                    "--port",
                    port,
                    "--dir",
                    data,
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "everysec",
                    "--save",
                    "",
                    "--maxmemory-policy",
                    "noeviction",
                ],
                workFolder,
                []
            ),
            workFolder
        );
        var server = new RedisServer(process, port);
        try
        {
            await Deadline.UntilAsync(
                "Redis to answer",
                TimeSpan.FromSeconds(20),
                async () => await server.CallAsync("ping") == "PONG",
                cancel
            );
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task ResetAsync(CancellationToken cancel) => CallAsync("flushall");

    /// <summary>
    /// BullMQ numbers the jobs of a queue with a counter of its own; without one there was no job yet.
    /// </summary>
    public async Task<long> MessagesAsync(CancellationToken cancel) =>
        long.TryParse(await CallAsync("get", "bull:orders:id"), CultureInfo.InvariantCulture, out var jobs) ? jobs : 0;

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private Task<string> CallAsync(params string[] command) => Command.RunAsync("redis-cli", ["-p", port, .. command]);
}
