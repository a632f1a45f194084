using System.Text.RegularExpressions;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Tests.Validation;

/// <summary>Compared with the pattern that the HTML standard gives for <c>input type=email</c>.</summary>
internal sealed partial class MailAddressTests
{
    private const int Texts = 20_000;
    private const string Characters = "aZ09..--@@!#$%&'*+/=?^_`{|}~ \"(),:;<>[\\]\t\n";

    [Test]
    public void What_html_takes_is_taken_but_for_the_documented_exceptions()
    {
        // Always the same ones: what it finds, it finds in the change that brings it.
        var random = new Random(1);
        var taken = 0;
        for (var i = 0; i < Texts; i++)
        {
            var text = Mutate(random);
            var expected = Html().IsMatch(text) && !IsException(text);
            Assert.That(MailAddress.IsValid(text), Is.EqualTo(expected), text);
            taken += expected ? 1 : 0;
        }

        Assert.That(taken, Is.InRange(Texts / 100, Texts * 99 / 100), "texts that are addresses");
    }

    [TestCase("a@b", ExpectedResult = false)]
    [TestCase("a@1.2.3.4", ExpectedResult = false)]
    [TestCase("a..b@c.de", ExpectedResult = false)]
    [TestCase(".a@b.cd", ExpectedResult = false)]
    [TestCase("a.@b.cd", ExpectedResult = false)]
    [TestCase("a@b.c1", ExpectedResult = true)]
    [TestCase("!#$%&'*+/=?^_`{|}~-@b.cd", ExpectedResult = true)]
    [TestCase("a@1.cd", ExpectedResult = true)]
    [TestCase("a@bücher.example", ExpectedResult = true)]
    public bool An_address(string text) => MailAddress.IsValid(text);

    [TestCase(64, ExpectedResult = true)]
    [TestCase(65, ExpectedResult = false)]
    public bool A_local_part(int length) => MailAddress.IsValid($"{new string('a', length)}@b.cd");

    [TestCase(63, ExpectedResult = true)]
    [TestCase(64, ExpectedResult = false)]
    public bool A_label(int length) => MailAddress.IsValid($"a@{new string('b', length)}.cd");

    private static string Mutate(Random random)
    {
        var text = new string[] { "zoe.m+x@sub-1.example.com", "a@b.cd", "A_b@1.co.uk", "x@y" }[random.Next(4)];
        for (var n = random.Next(4); n > 0; n--)
        {
            var at = random.Next(text.Length);
            var character = Characters[random.Next(Characters.Length)].ToString();
            text = random.Next(3) switch
            {
                0 => text.Insert(at, character),
                1 when text.Length > 1 => text.Remove(at, 1),
                _ => string.Concat(text.AsSpan(0, at), character, text.AsSpan(at + 1)),
            };
        }

        return text;
    }

    // International domains are taken although the pattern, which sees what a browser has encoded, knows none.
    private static bool IsException(string text)
    {
        var (local, domain) = (
            text[..text.IndexOf('@', StringComparison.Ordinal)],
            text[(text.IndexOf('@', StringComparison.Ordinal) + 1)..]
        );
        return local.StartsWith('.')
            || local.EndsWith('.')
            || local.Contains("..", StringComparison.Ordinal)
            || !domain.Contains('.', StringComparison.Ordinal)
            || domain.Split('.')[^1].All(char.IsAsciiDigit);
    }

    // https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
    [GeneratedRegex(
        @"^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\z"
    )]
    private static partial Regex Html();
}
