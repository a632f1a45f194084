using System.Reflection;
using System.Text.RegularExpressions;
using QueueWorkers.Steps;

namespace Orders.Architecture.Tests;

/// <summary>
/// The way of one message can be read in order: docs/message-lifecycle.md links each of its files, and no class on the
/// consuming side has too many collaborators to be understood alone.
/// </summary>
public sealed partial class ReceivePathTests
{
    private const string Page = "docs/message-lifecycle.md";
    private const string Stages = "src/Infrastructure/QueueWorkers/Consuming/Stages";
    private const int MostCollaborators = 8;

    [Test]
    public void Each_file_that_the_page_names_exists()
    {
        var links = Link().Matches(Repository.Read(Page)).ToArray();
        Assert.That(links, Has.Length.GreaterThan(20), "linked source files");
        Assert.Multiple(() =>
        {
            foreach (var link in links)
            {
                var (name, path) = (link.Groups[1].Value, link.Groups[2].Value);
                Assert.That(Path.GetFileName(path), Is.EqualTo(name), $"{Page}: text and target of a link");
                Assert.That(Path.Combine(Repository.Root, "docs", path), Does.Exist, Page);
            }
        });
    }

    [Test]
    public void The_page_names_each_stage()
    {
        var named = Link().Matches(Repository.Read(Page)).Select(link => link.Groups[1].Value);
        Assert.That(Repository.Sources(Stages).Select(path => Path.GetFileName(path)), Is.SubsetOf(named), Page);
    }

    [Test]
    public void The_pipeline_names_each_stage_in_its_summary()
    {
        var pipeline = Repository.Read($"{Stages}/StepPipeline.cs");
        var missing = Repository
            .Sources(Stages)
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(stage => stage != "StepPipeline")
            .Where(stage => !Regex.IsMatch(pipeline, $@"///.*<see cref=""{stage}\b"));
        Assert.That(missing, Is.Empty, "stages without a line in the summary of StepPipeline");
    }

    [Test]
    public void No_class_of_the_consuming_side_has_more_than_eight_collaborators()
    {
        var classes = typeof(StepPolicy)
            .Assembly.GetTypes()
            .Where(type =>
                type.IsClass
                && (
                    type.Namespace == "QueueWorkers.Consuming"
                    || type.Namespace?.StartsWith("QueueWorkers.Consuming.", StringComparison.Ordinal) == true
                )
            )
            .ToArray();
        Assert.That(classes.Select(type => type.Name), Does.Contain("StepPipeline`1").And.Contain("StepCommitter"));
        var tooMany = classes.SelectMany(type =>
            type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Where(constructor => constructor.GetParameters().Length > MostCollaborators)
                .Select(constructor => $"{type.FullName}: {constructor.GetParameters().Length}")
        );
        Assert.That(tooMany, Is.Empty, $"constructors with more than {MostCollaborators} parameters");
    }

    [Test]
    public void What_an_author_uses_of_a_run_has_at_most_ten_members() =>
        Assert.That(
            typeof(StepContext)
                .GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly)
                .Where(member => member is not MethodInfo { IsSpecialName: true })
                .Select(member => member.Name)
                .ToArray(),
            Has.Length.InRange(1, 10)
        );

    [GeneratedRegex(@"\[([^\]]+\.cs)\]\(([^)]+)\)")]
    private static partial Regex Link();
}
