using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>Text from outside that PostgreSQL cannot store, in every place where a step's failure or report holds some.</summary>
public sealed class UnstorableTextTests() : Steps.InAZoo("hurried,patient")
{
    // By number: such a text in the name of a test is more than runners can write down.
    private static readonly string[] Unstorable = ["a reply cut through: \ud83d", "\ude00 in front", "NUL \0 in the middle"];

    private static readonly (string Text, int Longest, string Stored)[] Cuts =
    [
        ("plain", 10, "plain"), ("ab\ud83d\ude00", 3, "ab"), ("ab\ud83d\ude00", 4, "ab\ud83d\ude00"), ("a\ud83d", 10, "a\ufffd"), ("\ude00b", 10, "\ufffdb"), ("a\0b", 10, "ab"), ("", 0, ""),
    ];

    [Test]
    public async Task A_fault_is_recorded_whatever_it_quotes([Range(0, 2)] int number)
    {
        var text = Unstorable[number];
        var subject = Guid.NewGuid();
        Script.For(subject, (context, _) =>
        {
            context.Step().Log(text);
            context.Step().ReportProgress(0.5, text);
            throw new PermanentFaultException(text);
        });
        await DeliverAsync("hurried", new Feed(subject));
        await System.UntilAsync(subject, "hurried", StepStatus.Parked);
        Assert.That(Script.RunsOf(subject), Is.EqualTo(1), "runs");
        Assert.That(await System.LastFaultAsync(subject, "hurried"), Does.StartWith("PermanentFaultException: "));
        Assert.That(await System.Database.CountAsync("failures where subject_id = $1 and fault_type like '%PermanentFaultException'", subject), Is.EqualTo(1), "rows in the index");
    }

    [Test]
    public async Task A_text_that_is_cut_in_the_middle_of_a_character_is_stored_too()
    {
        var subject = Guid.NewGuid();
        // Whatever stands before it, one of the two texts is cut through a pair.
        Script.For(subject, (_, attempt) => throw new InvalidOperationException(new string('x', attempt) + string.Concat(Enumerable.Repeat("\ud83d\ude00", 5000))));
        await DeliverAsync("patient", new Feed(subject));
        await System.EventuallyFastForwardingAsync(() => System.StatusAsync(subject, "patient"), Is.EqualTo(StepStatus.Parked), "status");
        Assert.That(await System.LastFaultAsync(subject, "patient"), Does.EndWith("\ud83d\ude00"));
    }

    [Test]
    public void Storable_text_keeps_what_it_can() => Assert.Multiple(() =>
    {
        foreach (var (text, longest, stored) in Cuts)
            Assert.That(StorableText.Of(text, longest) == stored, $"{text.Length} characters, at most {longest}");
    });
}
