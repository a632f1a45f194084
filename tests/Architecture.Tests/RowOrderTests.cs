using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// Statements that write several rows of a table that other processes write too lock them in one order
/// (docs/message-lifecycle.md, "Order of locks").
/// </summary>
public sealed partial class RowOrderTests
{
    // Files whose statements write rows that an earlier statement of the same transaction has locked.
    private static readonly Dictionary<string, string> LockedBefore = new()
    {
        ["src/Infrastructure/QueueWorkers/Redrive/RedriveMover.cs"] = "Take and DeadLetteredSteps.Lock",
        ["src/Infrastructure/QueueWorkers/DeadLetters/DeadLetteredSteps.cs"] = "Lock comes before Settle",
        ["src/Infrastructure/QueueWorkers/Consuming/StepFailures.cs"] = "one row, locked by DeadLetteredSteps.Lock",
    };

    [Test]
    public void Updates_of_several_rows_lock_them_in_order()
    {
        var unordered = Statements()
            .Where(s => !LockedBefore.ContainsKey(s.Path) && Update().IsMatch(s.Sql) && !Ordered().IsMatch(s.Sql))
            .Select(s => $"{s.Path}: {s.Sql}");
        Assert.That(
            unordered,
            Is.Empty,
            "updates without a subquery that locks the rows with 'order by … for no key update'"
        );
    }

    [Test]
    public void Inserts_of_several_rows_are_in_order()
    {
        var unordered = Statements()
            .Where(s => Insert().IsMatch(s.Sql) && s.Sql.Contains("unnest") && !s.Sql.Contains("order by"))
            .Select(s => $"{s.Path}: {s.Sql}");
        Assert.That(unordered, Is.Empty, "inserts from unnest without 'order by'");
    }

    [Test]
    public void No_exception_outlives_its_statement() =>
        Assert.That(
            LockedBefore.Keys.Where(path =>
                !Statements().Any(s => s.Path == path && Update().IsMatch(s.Sql) && !Ordered().IsMatch(s.Sql))
            ),
            Is.Empty
        );

    [TestCase("update failures set note = null where queue = $1", false)]
    [TestCase("update failures f set note = null from (select id from failures order by id for no key update) l", true)]
    public void An_update_without_an_order_is_found(string sql, bool isOrdered)
    {
        Assert.That(Update().IsMatch(sql), Is.True);
        Assert.That(Ordered().IsMatch(sql), Is.EqualTo(isOrdered));
    }

    private static IEnumerable<(string Path, string Sql)> Statements() =>
        Repository
            .Sources("src")
            .SelectMany(path => Literal().Matches(Repository.Read(path)).Select(m => (path, m.Value)));

    [GeneratedRegex(
        """
            "{3}[\s\S]*?"{3}|"(?:[^"\\\n]|\\.)*"
            """,
        RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Literal();

    [GeneratedRegex(@"\bupdate (?:failures|step_runs)\b")]
    private static partial Regex Update();

    [GeneratedRegex(@"order by [\w., ]+\s+for no key update")]
    private static partial Regex Ordered();

    [GeneratedRegex(@"\binsert into (?:idempotency|effects|step_runs)\b")]
    private static partial Regex Insert();
}
