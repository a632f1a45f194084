using System.Text.Json.Nodes;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>What an operator fills in is checked against what the code declares.</summary>
public sealed class SchedulePayloadTests
{
    private static readonly ScheduleKind Kind = new(
        "report",
        "Reports.",
        "Report",
        [
            ScheduleField.Number("below", "Below", 1, 100),
            ScheduleField.Text("articles", "Articles", 8, "[A-Z-]+", "MUG-", required: false),
            ScheduleField.Choice("form", "Form", "short", "long"),
            ScheduleField.Flag("empty", "Also when empty"),
        ],
        TimeSpan.FromMinutes(1),
        10
    );

    [Test]
    public void Values_are_stored_with_their_types_whether_they_came_as_such_or_as_texts()
    {
        var typed = Read("""{"below":20,"articles":"MUG-","form":"long","empty":true}""");
        var texts = Read("""{"below":" 20 ","articles":"MUG-","form":"long","empty":"true"}""");
        Assert.That(typed.Problems.Concat(texts.Problems), Is.Empty);
        Assert.That(
            (typed.Payload.ToJson(), texts.Payload.ToJson()),
            Is.EqualTo(
                (
                    """{"below":20,"articles":"MUG-","form":"long","empty":true}""",
                    """{"below":20,"articles":"MUG-","form":"long","empty":true}"""
                )
            )
        );
        Assert.That(typed.Payload.Number("below"), Is.EqualTo(20));
        Assert.That(typed.Payload.OptionalText("articles"), Is.EqualTo("MUG-"));
        Assert.That(typed.Payload.Flag("empty"), Is.True);
    }

    [Test]
    public void What_may_be_left_out_is_left_out_by_null_nothing_and_an_empty_text()
    {
        foreach (
            var given in (string[])
                [
                    """{"below":1,"form":"short"}""",
                    """{"below":1,"form":"short","articles":null,"empty":null}""",
                    """{"below":1,"form":"short","articles":" ","empty":""}""",
                ]
        )
        {
            var (payload, problems) = Read(given);
            Assert.That(problems, Is.Empty, given);
            Assert.That((payload.OptionalText("articles"), payload.Flag("empty")), Is.EqualTo(((string?)null, false)));
        }
    }

    [TestCase("""{"below":0,"form":"short"}""", "payload.below", "Expected a whole number 1–100, found 0.")]
    [TestCase("""{"below":1.5,"form":"short"}""", "payload.below", "Expected a whole number 1–100, found 1.5.")]
    [TestCase("""{"below":"ten","form":"short"}""", "payload.below", "Expected a whole number 1–100, found 'ten'.")]
    [TestCase("""{"below":99999999999,"form":"short"}""", "payload.below", "found 99999999999.")]
    [TestCase("""{"below":[1],"form":"short"}""", "payload.below", "found [1].")]
    [TestCase("""{"form":"short"}""", "payload.below", "Expected a whole number 1–100, found nothing.")]
    [TestCase("""{"below":1,"form":"Short"}""", "payload.form", "Expected one of short, long, found 'Short'.")]
    [TestCase("""{"below":1,"form":"short","empty":"yes"}""", "payload.empty", "Expected true or false, found 'yes'.")]
    [TestCase(
        """{"below":1,"form":"short","articles":"mug"}""",
        "payload.articles",
        "that matches [A-Z-]+, such as MUG-"
    )]
    [TestCase("""{"below":1,"form":"short","articles":"MUG-MUG-M"}""", "payload.articles", "at most 8 characters")]
    [TestCase("""{"below":1,"form":"short","articles":"MUG\n"}""", "payload.articles", "Expected a text")]
    [TestCase("""{"below":1,"form":"short","articles":{"a":1}}""", "payload.articles", "Expected a text")]
    [TestCase(
        """{"below":1,"form":"short","colour":"red"}""",
        "payload",
        "Expected the fields below, articles, form, empty, found 'colour'. Remove it."
    )]
    public void What_does_not_fit_is_named_with_what_was_expected(string given, string field, string message)
    {
        var problem = Read(given).Problems.Single();
        Assert.That(problem.Field, Is.EqualTo(field));
        Assert.That(problem.Message, Does.Contain(message));
    }

    [Test]
    public void A_mail_address_is_refused_and_not_repeated()
    {
        var kind = Kind with { Fields = [ScheduleField.Text("to", "To", 100)] };
        var problems = new List<ScheduleProblem>();
        SchedulePayload.Read(kind, JsonNode.Parse("""{"to":"zoe@example.com"}""")!.AsObject(), problems);
        Assert.That(problems.Single().Message, Does.StartWith("Expected no personal data").And.Not.Contain("zoe"));
    }

    [Test]
    public void Every_problem_is_named_at_once()
    {
        var problems = new List<ScheduleProblem>();
        new ScheduleDraft("* * * *", "Mars/Olympus_Mons", (Misfire)9, []).Check(Kind, problems);
        Assert.That(
            problems.Select(p => p.Field),
            Is.EquivalentTo(["cron", "timeZone", "misfire", "payload.below", "payload.form"])
        );
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public void A_declaration_that_cannot_be_used_is_refused_when_it_is_made(int which)
    {
        ScheduleField[][] fields =
        [
            [ScheduleField.Number("Below", "B", 1, 2)],
            [ScheduleField.Number("below", "B", 3, 2)],
            [ScheduleField.Text("text", "T", 0)],
            [ScheduleField.Choice("choice", "C")],
            [ScheduleField.Flag("flag", "F"), ScheduleField.Flag("flag", "F")],
        ];
        Assert.That(
            () =>
                new ScheduleCatalogue().Changeable(
                    "kind",
                    "About.",
                    fields[which],
                    (firing, _) => new Testing.Zoo.Tick(firing.Id, firing.DueAt)
                ),
            Throws.ArgumentException.With.Message.Contains("The kind of schedules 'kind'")
        );
    }

    private static (SchedulePayload Payload, List<ScheduleProblem> Problems) Read(string given)
    {
        var problems = new List<ScheduleProblem>();
        return (SchedulePayload.Read(Kind, JsonNode.Parse(given)!.AsObject(), problems), problems);
    }
}
