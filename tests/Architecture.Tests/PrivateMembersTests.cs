using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// Private members of a library vanish without notice, and the compiler does not say so. Nothing in <c>src</c> reads
/// one, apart from the places named here, each with the reason why its end does no harm (ADR 95).
/// </summary>
public sealed partial class PrivateMembersTests
{
    private static readonly Dictionary<string, string> Harmless = new()
    {
        ["src/Infrastructure/QueueWorkers/Consuming/Limits/AsyncStack.cs"] =
            "reads the compiler's state machines for a report to a person; a form it does not know ends the report",
    };

    [Test]
    public void Nobody_reads_private_members_of_a_library()
    {
        var found = Repository
            .Sources("src")
            .Where(path => Reading().IsMatch(Repository.Read(path)))
            .Order(StringComparer.Ordinal)
            .ToArray();
        Assert.That(
            found,
            Is.EquivalentTo(Harmless.Keys),
            "files that read private members; find a public way, or add the file here with the reason"
        );
    }

    [GeneratedRegex(@"\bUnsafeAccessor|\bNonPublic\b|\bIgnoresAccessChecksTo\b")]
    private static partial Regex Reading();
}
