using System.Text.RegularExpressions;

namespace QueueWorkers.Deployment;

/// <summary>One privilege on one object: what a grant such as <c>select, insert on parcels</c> consists of.</summary>
/// <param name="Kind"><c>table</c>, <c>sequence</c>, <c>function</c> or <c>schema</c>.</param>
/// <param name="Target">The object, as SQL names it.</param>
/// <param name="Column">The column; empty for the whole object.</param>
/// <param name="Privilege">In capitals, such as <c>SELECT</c>.</param>
internal sealed partial record DatabaseRight(string Kind, string Target, string Column, string Privilege)
{
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["table"] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"],
        ["sequence"] = ["USAGE", "SELECT", "UPDATE"],
        ["function"] = ["EXECUTE"],
        ["schema"] = ["USAGE", "CREATE"],
    };

    /// <summary>The privileges that a grant consists of.</summary>
    /// <exception cref="FormatException">The text is no grant.</exception>
    public static IEnumerable<DatabaseRight> Parse(string grant)
    {
        var match = GrantPattern().Match(grant);
        var kind = match.Groups["kind"] is { Success: true } word ? word.Value.ToLowerInvariant() : "table";
        if (!match.Success)
            throw Refused(grant, "'<privileges> on [sequence|function|schema] <names>'");
        foreach (var target in SplitPattern().Split(match.Groups["targets"].Value))
        foreach (var item in SplitPattern().Split(match.Groups["privileges"].Value))
        {
            var parts = PrivilegePattern().Match(item);
            var privilege = parts.Groups["privilege"].Value.ToUpperInvariant();
            var privileges = privilege == "ALL" ? Known[kind] : [privilege];
            if (!parts.Success || privileges.Except(Known[kind]).Any())
                throw Refused(grant, $"privileges out of {string.Join(", ", Known[kind])}");
            var columns = parts.Groups["columns"] is { Success: true } list ? list.Value.Split(',') : [""];
            foreach (var column in columns.Select(c => c.Trim()))
            foreach (var one in privileges)
                yield return new DatabaseRight(kind, target.Trim(), Unquoted(column), one);
        }
    }

    private static string Unquoted(string name) =>
        name.StartsWith('"') ? name.Trim('"').Replace("\"\"", "\"", StringComparison.Ordinal) : name.ToLowerInvariant();

    private static FormatException Refused(string grant, string expected) =>
        new(
            $"The grant '{grant}' cannot be read: expected {expected}; change it in the step's policy or in IDatabaseRoles."
        );

    [GeneratedRegex(
        @"^\s*(?<privileges>\S.*?)\s+on\s+(?:(?<kind>table|sequence|function|schema)\s+)?(?<targets>\S.*?)\s*$",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.ExplicitCapture
    )]
    private static partial Regex GrantPattern();

    [GeneratedRegex(
        @"^\s*(?<privilege>[a-z]+)(\s+privileges)?\s*(\((?<columns>[^)]+)\))?\s*$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture
    )]
    private static partial Regex PrivilegePattern();

    // At commas that stand in no parentheses: those separate columns or parameters.
    [GeneratedRegex(@",(?![^(]*\))")]
    private static partial Regex SplitPattern();
}
