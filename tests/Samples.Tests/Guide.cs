using System.Text.RegularExpressions;

namespace Orders.Samples.Tests;

/// <summary>The files that the guide has its reader make, by their names.</summary>
internal static partial class Guide
{
    /// <summary>The page, from the top of the repository.</summary>
    public const string Page = "docs/framework/getting-started.md";

    /// <summary>All of them.</summary>
    public static IReadOnlyDictionary<string, string> Files { get; } =
        Block()
            .Matches(File.ReadAllText(Path.Combine(Commands.Root, Page)))
            .ToDictionary(block => block.Groups["path"].Value, block => block.Groups["text"].Value);

    [GeneratedRegex(
        @"^`(?<path>[\w./]+)`: [^\n]+\n\n```\w+\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Block();
}
