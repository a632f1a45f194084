using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>Text from outside that PostgreSQL cannot store, in every place where a step's failure or report holds some.</summary>
public sealed class UnstorableTextTests() : Steps.InAZoo("hurried,patient")
{
    [TestCase("a reply cut through: \ud83d", Description = "half a pair at the end")]
    [TestCase("\ude00 in front", Description = "half a pair at the beginning")]
    [TestCase("NUL \0 in the middle")]
    public async Task A_fault_is_recorded_whatever_it_quotes(string text)
    {
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

    [TestCase("plain", 10, "plain")]
    [TestCase("ab\ud83d\ude00", 3, "ab")]
    [TestCase("ab\ud83d\ude00", 4, "ab\ud83d\ude00")]
    [TestCase("a\ud83d", 10, "a\ufffd")]
    [TestCase("\ude00b", 10, "\ufffdb")]
    [TestCase("a\0b", 10, "ab")]
    [TestCase("", 0, "")]
    public void Storable_text_keeps_what_it_can(string text, int longest, string stored) => Assert.That(StorableText.Of(text, longest), Is.EqualTo(stored));
}
