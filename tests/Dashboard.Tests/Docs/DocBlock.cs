using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Docs;

/// <summary>A fenced block of a page.</summary>
/// <param name="Page">The page.</param>
/// <param name="Line">The line of its fence.</param>
/// <param name="Above">The line above the fence.</param>
/// <param name="Words">The words behind the fence: the language, and how the block is marked.</param>
/// <param name="Text">What is in it.</param>
internal sealed partial record DocBlock(string Page, int Line, string Above, string[] Words, string Text)
{
    public string Language => Words is [var first, ..] ? first : "";

    /// <summary>Whether the block says that it cannot be run.</summary>
    public bool IsLeftOut => Words is [_, "no-run", ..];

    /// <summary>Why it is not run; empty when the page does not say.</summary>
    public string Reason => ReasonMark().Match(Above).Groups[1].Value;

    public override string ToString() => $"{Page}:{Line}";

    /// <summary>The blocks of a page, in their order.</summary>
    public static IReadOnlyList<DocBlock> Of(string page, string markdown)
    {
        var blocks = new List<DocBlock>();
        var lines = markdown.ReplaceLineEndings("\n").Split('\n');
        for (var n = 0; n < lines.Length; n++)
        {
            var fence = Fence().Match(lines[n]);
            if (!fence.Success)
                continue;
            var (indent, mark) = (fence.Groups["indent"].Length, fence.Groups["mark"].Value);
            var end = Array.FindIndex(lines, n + 1, line => line.Trim() == mark);
            Assert.That(end, Is.GreaterThan(n), $"{page}:{n + 1}: the block ends");
            blocks.Add(
                new DocBlock(
                    page,
                    n + 1,
                    n > 0 ? lines[n - 1].Trim() : "",
                    fence.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                    string.Join('\n', lines[(n + 1)..end].Select(line => line[Math.Min(indent, line.Length)..]))
                )
            );
            n = end;
        }

        return blocks;
    }

    /// <summary>
    /// The commands of a <c>console</c> block, each with the output that is shown for it. Without a line that begins
    /// with <c>$</c>, each line is a command.
    /// </summary>
    public IReadOnlyList<(string Command, string[] Shown)> Commands()
    {
        var lines = Text.Split('\n');
        var marked = lines.Any(line => line.StartsWith("$ ", StringComparison.Ordinal));
        var commands = new List<(string Command, List<string> Shown)>();
        var open = false;
        foreach (var line in lines)
        {
            if (open)
                commands[^1] = ($"{commands[^1].Command}\n{line}", commands[^1].Shown);
            else if (marked && !line.StartsWith("$ ", StringComparison.Ordinal))
                Shown(commands, line).Add(line);
            else if (line.Trim() is { Length: > 0 } command && !command.StartsWith('#'))
                commands.Add((marked ? command[2..] : command, []));
            // A command goes on while a quote is open, or behind a backslash.
            open =
                commands is [.., var (last, shown)]
                && shown.Count == 0
                && (last.Count(c => c == '\'') % 2 == 1 || last.EndsWith('\\'));
        }

        return [.. commands.Select(c => (c.Command, c.Shown.Where(line => line.Trim() != "").ToArray()))];
    }

    private List<string> Shown(List<(string Command, List<string> Shown)> commands, string line)
    {
        Assert.That(commands, Is.Not.Empty, $"{this}: a command stands before the output '{line}'");
        return commands[^1].Shown;
    }

    [GeneratedRegex(@"^(?<indent> *)(?<mark>```+)(?<words>[^`]*)$")]
    private static partial Regex Fence();

    [GeneratedRegex("^<!-- no-run: (.+) -->$")]
    private static partial Regex ReasonMark();
}
