using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// A log event is found by its id alone, in the log of any process: ids are unique over all projects, and the events
/// that the documentation names exist.
/// </summary>
public sealed partial class LogEventTests
{
    private static readonly (string Id, string Path)[] Events =
    [
        .. new[] { "src", "demo" }
            .SelectMany(Repository.Sources)
            .SelectMany(path =>
                Message().Matches(Repository.Read(path)).Select(match => (match.Groups["id"].Value, path))
            ),
    ];

    [Test]
    public void Each_message_begins_with_its_id()
    {
        Assert.That(Events, Has.Length.GreaterThan(90), "log messages found");
        Assert.That(Events.Where(e => !int.TryParse(e.Id, out _)), Is.Empty, "log messages without an id");
    }

    [Test]
    public void No_id_is_used_twice() =>
        Assert.That(
            Events
                .GroupBy(e => e.Id)
                .Where(used => used.Count() > 1)
                .Select(used => $"{used.Key}: {string.Join(", ", used.Select(e => e.Path))}"),
            Is.Empty,
            "ids of log events used more than once"
        );

    [Test]
    public void Each_event_that_the_operations_manual_names_exists() =>
        Assert.That(
            Named()
                .Matches(Repository.Read("docs/operating.md"))
                .SelectMany(match => Number().Matches(match.Value))
                .Select(match => match.Value)
                .Except(Events.Select(e => e.Id)),
            Is.Empty,
            "events named in docs/operating.md that no project logs"
        );

    [GeneratedRegex(@"LoggerMessage\(\s*(?<id>[^,)]*)")]
    private static partial Regex Message();

    [GeneratedRegex(@"\bevents? \d[^;)]*")]
    private static partial Regex Named();

    [GeneratedRegex(@"\b[1-9]\d{3}\b")]
    private static partial Regex Number();
}
