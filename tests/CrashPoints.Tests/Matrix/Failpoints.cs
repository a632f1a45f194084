using Orders.Architecture.Tests;
using Orders.Architecture.Tests.Failpoints;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>The failpoints of the hosts under test, read from what was compiled.</summary>
internal static class Failpoints
{
    private const string Type = "QueueWorkers.Failpoints.Failpoint";

    /// <summary>The assemblies of <c>src</c>.</summary>
    public static IReadOnlyList<string> Assemblies { get; } =
    [.. Repository.Find("src", "*.csproj").Select(Repository.AssemblyOf).Where(name => name != "Orders.Contracts")];

    /// <summary>Their failpoints' names.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assemblies
            .SelectMany(a => NamesIn(Path.Combine(AppContext.BaseDirectory, $"{a}.dll")))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The names in an assembly.</summary>
    public static IEnumerable<string> NamesIn(string path) =>
        CompiledCode
            .MethodsOf(path)
            .SelectMany(m => m.Calls)
            .Where(c => c is { Type: Type, Method: "Hit" })
            .Select(c => c.Text!);
}
