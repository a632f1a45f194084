using QueueWorkers.DeadLetters.Recording;

namespace Orders.Dashboard.Tests.Viewing;

/// <summary>Which failures are one row of the page.</summary>
internal sealed class FaultFingerprintTests
{
    // As an ASP.NET Core service answers: each answer has the ids of its trace.
    [TestCase(
        "422 \"traceId\":\"00-56b99cae8d59d46d0d19816af01454cc-47de3f8b7f0a1b2c-01\"",
        "422 \"traceId\":\"00-8acf6cdcd124e947a051108202f0c4fb-11dc15145aa0b0c1-01\""
    )]
    [TestCase(
        "422 \"traceId\":\"00-b533e6af58019b38cb50d45ea5b78ede-5922d0ca8. Settle it",
        "422 \"traceId\":\"00-17fe902db76fd2007a16eb6b28f85956-047425609. Settle it"
    )]
    [TestCase("422 \"traceId\":\"00-b533e. Settle it", "422 \"traceId\":\"00-17024. Settle it")]
    [TestCase("build 9f3c2a1b of the warehouse", "build 0a77be51 of the warehouse")]
    [TestCase("order 17 of 20", "order 3 of 1,000")]
    [TestCase("to zoe@example.com", "to jan@example.org")]
    public void Ids_numbers_and_addresses_make_no_other_cause(string one, string other) =>
        Assert.That(Of(one), Is.EqualTo(Of(other)), FaultFingerprint.Shape(one));

    [TestCase("the facade is defaced", "the facade is decadeed")]
    [TestCase("No such article MUG-BLUE", "No such article MUG-WHITE")]
    public void Words_do(string one, string other) =>
        Assert.That(Of(one), Is.Not.EqualTo(Of(other)), FaultFingerprint.Shape(one));

    private static string Of(string message) => FaultFingerprint.Of("email", "IOException", message, null);
}
