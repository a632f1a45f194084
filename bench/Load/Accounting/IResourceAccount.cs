namespace Orders.Bench.Load.Accounting;

/// <summary>
/// What the kernel says one process group has used so far. CPU only ever grows, also when a process of the group ends.
/// </summary>
public interface IResourceAccount
{
    string Group { get; }

    TimeSpan Cpu();

    long MemoryBytes();
}
