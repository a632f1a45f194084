using System.Globalization;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>One cell of the matrix.</summary>
/// <param name="Failpoint">The failpoint.</param>
/// <param name="Mode">What happens there.</param>
/// <param name="Hit">At which time the process comes by.</param>
internal sealed record CrashCase(string Failpoint, string Mode, int Hit)
{
    private static readonly string[] BeforeACall = ["kill", "throw", "delay"];
    private static readonly string[] AfterACall = ["kill", "timeout", "delay"];

    // Second hits find what only a process that has been there before can do wrong; they take as long again.
    private static readonly int MostHits = int.TryParse(Environment.GetEnvironmentVariable("ORDERS_CRASH_HITS"), CultureInfo.InvariantCulture, out var hits) ? hits : 2;

    /// <summary>All cells, from the names in the compiled code. Before a call: die, fail, wait. After it: die, wait, or be told that it timed out although it was carried out.</summary>
    public static IEnumerable<CrashCase> All() =>
        from name in Failpoints.Names
        let scenario = Scenarios.Of(name)
        where scenario is not null
        from mode in name.Contains(".after_", StringComparison.Ordinal) ? AfterACall : BeforeACall
        from hit in Enumerable.Range(1, Math.Min(MostHits, scenario.Hits))
        select new CrashCase(name, mode, hit);

    /// <summary>As a process is told.</summary>
    public string Plan => $"{Failpoint}={Mode}@{Hit}";

    public override string ToString() => Plan;
}
