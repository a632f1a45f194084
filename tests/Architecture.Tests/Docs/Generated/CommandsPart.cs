using System.Text;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>The help of every <c>./dev</c> command: the comment at the beginning of its script.</summary>
internal static class CommandsPart
{
    private const string Folder = "deploy/dev";

    public static string Write()
    {
        var commands = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, Folder), "*.sh")
            .Select(path => (Name: Path.GetFileNameWithoutExtension(path), Help: HelpOf(Path.GetFileName(path))))
            .OrderBy(command => command.Name, StringComparer.Ordinal)
            .ToArray();
        var text = new StringBuilder(
            MarkdownTable.Of(
                ["command", "what it does"],
                commands.Select(c => new[] { $"[`./dev {c.Name}`](#dev-{c.Name})", c.Help[0] })
            )
        );
        foreach (var (name, help) in commands)
            text.Append('\n')
                .Append("## `./dev ")
                .Append(name)
                .Append("`\n\n```text\n")
                .AppendJoin('\n', help)
                .Append("\n```\n");
        return text.ToString();
    }

    // What `./dev NAME --help` prints.
    private static string[] HelpOf(string script)
    {
        var help = Repository
            .Read($"{Folder}/{script}")
            .ReplaceLineEndings("\n")
            .Split('\n')
            .Skip(1)
            .TakeWhile(line => line.StartsWith('#'))
            .Select(line => line.Length > 1 ? line[2..] : "")
            .ToArray();
        Assert.That(help, Is.Not.Empty, $"{Folder}/{script} begins with its help, in comments below '#!'");
        return help;
    }
}
