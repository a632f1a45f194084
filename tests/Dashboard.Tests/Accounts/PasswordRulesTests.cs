using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Tests.Accounts;

/// <summary>What a new password must be like.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class PasswordRulesTests
{
    [TestCase("correct horse battery staple")]
    [TestCase("Zwölf Boxkämpfer jagen")]
    [TestCase("x7-blue-mug-river")]
    public void A_long_unusual_one_is_taken(string password) =>
        Assert.That(PasswordRules.ProblemOf(password, "anna"), Is.Null);

    [TestCase("elevenchars", "11 characters")]
    [TestCase("123456789012", "common")]
    [TestCase("PASSWORD1234", "common")]
    [TestCase("supernatural2024!", "common")]
    [TestCase("super natural", "common")]
    [TestCase("5up3rn4tur4l", "common")]
    [TestCase("abababababab", "different")]
    [TestCase("Anna-and-the-sea", "name")]
    [TestCase("a line\nand another", "control")]
    public void A_guessable_one_is_refused(string password, string says) =>
        Assert.That(PasswordRules.ProblemOf(password, "anna"), Does.Contain(says));

    [Test]
    public void What_is_made_up_is_taken()
    {
        foreach (var password in Enumerable.Range(0, 100).Select(_ => NewPassword.Make("anna")))
            Assert.That(PasswordRules.ProblemOf(password, "anna"), Is.Null, password);
    }
}
