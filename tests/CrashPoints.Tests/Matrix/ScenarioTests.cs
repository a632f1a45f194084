namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>The matrices reach every failpoint. The gate asks; the matrices themselves take long.</summary>
public sealed class ScenarioTests
{
    [Test]
    public void Every_failpoint_has_a_scenario() =>
        Assert.That(
            Scenarios.Missing,
            Is.Empty,
            "failpoints that the matrix cannot reach: say in Scenarios.cs how a process comes by there"
        );

    [Test]
    public void Every_scenario_has_its_failpoint() =>
        Assert.That(
            Scenarios.Forgotten.Concat(RedriveScenarios.Forgotten),
            Is.Empty,
            "scenarios for failpoints that do not exist"
        );
}
