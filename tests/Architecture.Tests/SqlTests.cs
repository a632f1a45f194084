using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>SQL names states by the enums' members and not by their numbers.</summary>
public sealed partial class SqlTests
{
    [Test]
    public void No_state_is_compared_with_a_number()
    {
        string[] folders = ["src", "demo", "tests"];
        Assert.That(
            folders
                .SelectMany(Repository.Sources)
                .SelectMany(path => Number().Matches(Repository.Read(path)).Select(m => $"{path}: {m.Value}")),
            Is.Empty
        );
    }

    [GeneratedRegex(@"\b(?:status|state|stage|kind) (?:=|<>|(?:not )?in) \(?[0-9]")]
    private static partial Regex Number();
}
