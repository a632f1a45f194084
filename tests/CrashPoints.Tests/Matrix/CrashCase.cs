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
    private static readonly int MostHits = int.TryParse(
        Environment.GetEnvironmentVariable("ORDERS_CRASH_HITS"),
        CultureInfo.InvariantCulture,
        out var hits
    )
        ? hits
        : 2;

    /// <summary>
    /// The cells of a failpoint. Before a call: die, fail, wait. After it: die, wait, or be told that it timed out
    /// although it was carried out.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="hits">At how many hits it is tried at most.</param>
    public static IEnumerable<CrashCase> Of(string name, int hits = 2) =>
        from mode in name.Contains(".after_", StringComparison.Ordinal) ? AfterACall : BeforeACall
        from hit in Enumerable.Range(1, Math.Min(MostHits, hits))
        select new CrashCase(name, mode, hit);

    /// <summary>
    /// The cells of a failpoint whose process takes long to start: in a run of first hits only, each in one way: its
    /// call fails, or it dies after it.
    /// </summary>
    /// <param name="name">Its name.</param>
    public static IEnumerable<CrashCase> OfSlow(string name) =>
        Of(name)
            .Where(c =>
                MostHits > 1 || c.Mode == (name.Contains(".after_", StringComparison.Ordinal) ? "kill" : "throw")
            );

    /// <summary>As a process is told.</summary>
    public string Plan => $"{Failpoint}={Mode}@{Hit}";

    public override string ToString() => Plan;
}
