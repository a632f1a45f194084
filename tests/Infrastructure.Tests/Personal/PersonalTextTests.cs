using QueueWorkers.GroupCommit;

namespace Orders.Infrastructure.Tests.Personal;

/// <summary>What is masked in text that leaves a step, and what stays legible.</summary>
public sealed class PersonalTextTests
{
    [TestCase("550 5.1.1 <a@b.example> unknown", "550 5.1.1 <address> unknown")]
    [TestCase("mailto:zoe.m+shop@example.com?x", "mailto:<address>?x")]
    [TestCase("user zoë@exämple.com, next", "user <address>, next")]
    [TestCase("\"zoe m\"@example.com refused", "<address> refused")]
    [TestCase("GET /x?to=zoe%40example.com&n=1", "GET /x?to=<address>&n=1")]
    [TestCase("{\"email\":\"a@b.example\"}", "{\"email\":\"<address>\"}")]
    [TestCase("a@b.example;c@d.example", "<address>;<address>")]
    [TestCase("Key (email)=(zoe) already exists.", "Key (email)=(…) already exists.")]
    [TestCase("Key (lower(email))=(a(b)c) is not present in table", "Key (lower(email))=(…) is not present in table")]
    [TestCase("Failing row contains (1, Zoe, null).", "Failing row contains (…).")]
    [TestCase("No space left on device for order 42", "No space left on device for order 42")]
    [TestCase("f(x)=(y) holds", "f(x)=(y) holds")]
    public void Addresses_and_quoted_values_are_masked(string text, string expected) =>
        Assert.That(PersonalText.Of(text), Is.EqualTo(expected));

    [Test]
    public void A_fault_without_personal_data_stays_what_it_is()
    {
        var fault = new InvalidOperationException("No.", new IOException("Disk full."));
        Assert.That(PersonalText.Of(fault), Is.SameAs(fault));
    }

    [TestCase("at Step.Run() in Linear.cs:line 42", "at Step.Run() in Linear.cs:line 42")]
    [TestCase("no parcel for LIN, or (lin)", "no parcel for <personal>, or (<personal>)")]
    [TestCase("Lin-1 of Berlin, lin_2, Linné", "Lin-1 of Berlin, lin_2, Linné")]
    public void A_name_is_hidden_as_a_word_only(string text, string expected)
    {
        PersonalText.Begin();
        PersonalText.Hide("Lin");
        Assert.That(PersonalText.Of(text), Is.EqualTo(expected));
    }

    [Test]
    public async Task What_one_run_hides_another_one_shows()
    {
        await Task.WhenAll(Hide("Zoe", "Max"), Hide("Max", "Zoe"));
        Assert.That(PersonalText.Of("Zoe and Max"), Is.EqualTo("Zoe and Max"), "outside of a run");

        static async Task Hide(string mine, string other)
        {
            PersonalText.Begin();
            await Task.Yield();
            PersonalText.Hide(mine, null, "", "x");
            await Task.Yield();
            Assert.That(PersonalText.Of($"{mine} or {other} x"), Is.EqualTo($"<personal> or {other} x"));
        }
    }
}
