using System.Globalization;
using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Servers;

/// <summary>
/// One Docker container on the host's network: no port proxy between client and server, which alone would cost 0.2 s
/// per 1,000 orders.
/// The servers inside are told to listen on loopback only. Disposing removes it with its volume.
/// </summary>
public sealed class Container(string id, IResourceAccount account) : IAsyncDisposable
{
    public IResourceAccount Account => account;

    public static async Task<Container> StartAsync(
        string group,
        string image,
        IEnumerable<string> options,
        IEnumerable<string> command
    )
    {
        var id = await Command.RunAsync(
            "docker",
            ["run", "--detach", "--network", "host", "--label", "orders.bench", .. options, image, .. command]
        );
        try
        {
            var pid = await Command.RunAsync("docker", "inspect", "--format", "{{.State.Pid}}", id);
            return new Container(id, new ControlGroup(group, int.Parse(pid, CultureInfo.InvariantCulture)));
        }
        catch
        {
            await RemoveAsync(id);
            throw;
        }
    }

    /// <summary>Waits for the server inside. If it does not come up, its last words are in the exception.</summary>
    /// <exception cref="InvalidOperationException">The server did not answer in a minute and a half.</exception>
    public async Task ReadyAsync(string server, Func<Task<bool>> question, CancellationToken cancel)
    {
        try
        {
            await Deadline.UntilAsync($"{server} to answer", TimeSpan.FromSeconds(90), question, cancel);
        }
        catch (TimeoutException e)
        {
            var log = await Command.RunAsync("docker", "logs", "--tail", "15", id);
            throw new InvalidOperationException(
                $"{e.Message}{Environment.NewLine}Its log ends with:{Environment.NewLine}{log}",
                e
            );
        }
    }

    public async ValueTask DisposeAsync() => await RemoveAsync(id);

    private static Task<string> RemoveAsync(string id) => Command.RunAsync("docker", "rm", "--force", "--volumes", id);
}
