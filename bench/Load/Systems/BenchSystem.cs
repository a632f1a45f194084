using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load.Systems;

/// <summary>One competitor, as data.</summary>
/// <param name="Name">As on the command line and in the JSON.</param>
/// <param name="Durability">What survives which crash: without it the figures say nothing.</param>
/// <param name="Broker">What carries its messages.</param>
/// <param name="Url">Where it takes orders.</param>
/// <param name="Ready">Answer 200 once orders may come: a message published before its consumer's queue exists is gone,
/// without an outbox for good.</param>
/// <param name="Headers">Sent with every order.</param>
/// <param name="Prepare">Makes tables and stock in the fresh database.</param>
/// <param name="Programs">What to start, in this order.</param>
/// <param name="Queries">How to see what has been done.</param>
public sealed record BenchSystem(
    string Name,
    string Durability,
    IBroker Broker,
    Uri Url,
    IReadOnlyList<Uri> Ready,
    IReadOnlyDictionary<string, string> Headers,
    Func<CancellationToken, Task> Prepare,
    IReadOnlyList<ChildProgram> Programs,
    EffectQueries Queries
)
{
    /// <summary>The name of its database.</summary>
    public string Database => DatabaseName(Name);

    public static string DatabaseName(string system) => system.Replace('-', '_');
}
