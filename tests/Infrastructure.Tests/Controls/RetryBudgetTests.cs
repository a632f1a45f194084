using Orders.Infrastructure.Controls;

namespace Orders.Infrastructure.Tests.Controls;

/// <summary>Repeated runs may be as many at a time as the dependency has shown to bear, and never none at all.</summary>
public sealed class RetryBudgetTests
{
    [Test]
    public void A_dependency_that_answers_takes_twice_as_many_in_each_round()
    {
        var budget = new RetryBudget();
        while (budget.Window > 1)
            budget.Failed();

        for (var expected = 1; expected <= 64; expected *= 2)
        {
            var round = EnterAll(budget);
            Assert.That(round, Has.Count.EqualTo(expected));
            Leave(budget, round, succeed: true);
        }
    }

    [Test]
    public void Each_failure_halves_the_window_and_one_retry_remains()
    {
        var budget = new RetryBudget();
        for (var i = 0; i < 2 * RetryBudget.Widest; i++)
            budget.Succeeded();
        Assert.That(budget.Window, Is.EqualTo(RetryBudget.Widest));

        budget.Failed();
        Assert.That(budget.Window, Is.EqualTo(RetryBudget.Widest / 2));
        for (var i = 0; i < 100; i++)
            budget.Failed();
        Assert.That(EnterAll(budget), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_dependency_of_which_every_third_call_fails_is_called_by_few_at_a_time()
    {
        var budget = new RetryBudget();
        var widest = 0;
        for (var call = 0; call < 1000; call++)
        {
            if (call % 3 == 0)
                budget.Failed();
            else
                budget.Succeeded();
            if (call > 100)
                widest = Math.Max(widest, budget.Window);
        }

        Assert.That(widest, Is.InRange(2, 6));
    }

    [Test]
    public void A_run_that_was_not_let_in_takes_no_place_when_it_ends()
    {
        var budget = new RetryBudget();
        var round = EnterAll(budget);
        budget.Leave(Guid.NewGuid());
        Assert.That(EnterAll(budget), Is.Empty);
        Leave(budget, round, succeed: false);
        Assert.That(EnterAll(budget), Has.Count.EqualTo(RetryBudget.First));
    }

    private static List<Guid> EnterAll(RetryBudget budget)
    {
        var entered = new List<Guid>();
        for (var id = Guid.NewGuid(); budget.TryEnter(id); id = Guid.NewGuid())
            entered.Add(id);
        return entered;
    }

    private static void Leave(RetryBudget budget, List<Guid> round, bool succeed)
    {
        foreach (var id in round)
        {
            if (succeed)
                budget.Succeeded();
            budget.Leave(id);
        }
    }
}
