using Orders.Bench.Load.Accounting;
using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load;

/// <summary>The programs of one system, started in order, stopped in the opposite order.</summary>
public sealed class RunningPrograms : IAsyncDisposable
{
    private readonly List<ChildProcess> running = [];

    public RunningPrograms(IReadOnlyList<ChildProgram> programs, string logFolder)
    {
        List<IResourceAccount> accounts = [];
        foreach (var program in programs)
        {
            var process = ChildProcess.Start(program, logFolder);
            running.Add(process);
            accounts.Add(new ProcessTree(program.Group, process.Id));
        }

        Accounts = accounts;
    }

    public IReadOnlyList<IResourceAccount> Accounts { get; }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Enumerable.Reverse(running))
            await process.DisposeAsync();
    }
}
