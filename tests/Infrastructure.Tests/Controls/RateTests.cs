using Orders.Infrastructure.Controls;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.Controls;

/// <summary>A rate holds over all replicas, uses up no attempt, and is changed while the step runs.</summary>
public sealed class RateTests : WithReplicas
{
    private static readonly RateLimit Limit = RateLimit.PerMinute(600);

    [Test]
    public async Task Four_replicas_together_keep_the_limit_and_use_it_until_it_is_lifted()
    {
        await StartAsync(4, "hurried", (_, _) => Task.CompletedTask, policy => policy with { Rates = [Limit] });
        await DeliverAsync("hurried", 300);
        await Eventually.That(() => Begun.Count, Is.GreaterThan(80), "runs begun");

        var begun = Begun.Select(b => b.At).Order().ToArray();
        for (var i = 0; i < begun.Length; i++)
            Assert.That(i + 1, Is.LessThanOrEqualTo(((begun[i] - begun[0]) / Limit.Interval) + Limit.Bundle + 1), $"runs until {begun[i] - begun[0]} after the first");

        await Controls.SetRatesAsync("hurried", "", Because("the test has seen enough"));
        await UntilDoneAsync("hurried", 300);
        Assert.That(Begun, Has.Count.EqualTo(300), "runs: none was begun twice");
        Assert.That(await System.Database.CountAsync("step_runs where attempts <> 1"), Is.Zero, "attempts used up by waiting");
    }

    [Test]
    public async Task A_rate_that_cannot_be_read_is_refused() =>
        await Assert.ThatAsync(() => Controls.SetRatesAsync("hurried", "many", Because("a test")), Throws.TypeOf<FormatException>());
}
