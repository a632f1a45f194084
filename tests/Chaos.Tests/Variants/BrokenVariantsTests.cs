using System.Collections.Concurrent;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Tests.Variants;

/// <summary>
/// A checker that cannot fail is worthless: it has to catch each system that really is broken, and to pass the one that
/// is not, under the same fault.
/// </summary>
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[Category("Long")]
public sealed class BrokenVariantsTests
{
    // A deadline, not a wait: on a machine that does nothing else it takes some seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // One that is broken may never come to rest; whatever it would still do by itself, it has done by then.
    private static readonly TimeSpan PatienceWithBroken = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, string> _caught = new();

    private static IEnumerable<TestCaseData> Broken =>
        BrokenVariants.All.Select(v => new TestCaseData(v).SetArgDisplayNames(v.Name));

    private static IEnumerable<TestCaseData> Faults =>
        Fault.All.Select(f => new TestCaseData(f).SetArgDisplayNames(f.Name));

    [TestCaseSource(nameof(Broken))]
    public async Task A_broken_variant_is_caught(object variant)
    {
        var broken = (Variant)variant;
        var findings = await PlayAsync(broken, PatienceWithBroken);
        _caught[broken.Name] = $"{broken.Fault.Name} → {string.Join("; ", findings.Broken)}";
        Assert.That(findings.Broken, Does.Contain(broken.CaughtBy), Describe(findings));
    }

    [TestCaseSource(nameof(Faults))]
    public async Task The_system_itself_passes(object fault)
    {
        var findings = await PlayAsync(Variant.Unbroken((Fault)fault), Patience);
        Assert.That(findings.Broken, Is.Empty, Describe(findings));
    }

    [OneTimeTearDown]
    public void Show()
    {
        foreach (var (variant, caught) in _caught)
            TestContext.Progress.WriteLine($"{variant}: {caught}");
    }

    private static async Task<Findings> PlayAsync(Variant variant, TimeSpan patience)
    {
        await using var stage = await Stage.OpenAsync(variant);
        await variant.Fault.PlayAsync(stage);
        await stage.SettleAsync(patience);
        return await stage.CheckAsync();
    }

    private static string Describe(Findings findings) =>
        string.Join(
            Environment.NewLine,
            findings
                .Verdicts.Where(v => !v.Holds)
                .Select(v => $"{v.Invariant.Name}: {string.Join(" | ", v.Violations.Take(3))}")
        );
}
