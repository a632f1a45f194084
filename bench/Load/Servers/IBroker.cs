using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Servers;

/// <summary>What carries the messages or jobs of a system.</summary>
public interface IBroker : IAsyncDisposable
{
    IResourceAccount Account { get; }

    /// <summary>Forgets everything: queues, exchanges, jobs.</summary>
    Task ResetAsync(CancellationToken cancel);

    /// <summary>Messages handed to consumers, or jobs created, since the server was started or reset.</summary>
    Task<long> MessagesAsync(CancellationToken cancel);
}
