using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Planning;
using Orders.Chaos.Reporting;
using Orders.Chaos.Running;

namespace Orders.Chaos.Tests.Reporting;

public sealed class ReportTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Findings Good = Checker.Check(new Evidence());
    private static readonly FaultType ApiKilled = new(FaultKind.Kill, "api", default, default, "API or relay killed");

    private static readonly HistoryEvent[] OneLateOneGood =
    [
        Event(0, HistoryEvent.Invoked, "a", 1),
        Event(1, HistoryEvent.Unknown, "a", 1),
        Event(4, HistoryEvent.Invoked, "a", 2),
        Event(5, HistoryEvent.Ok, "a", 2),
        Event(6, HistoryEvent.Invoked, "b", 1),
        Event(7, HistoryEvent.Ok, "b", 1),
    ];

    [Test]
    public void The_last_line_is_the_one_that_counts() =>
        Assert.That(
            ReportText.Of(Report(OneLateOneGood)).Split(Environment.NewLine)[^1],
            Is.EqualTo("lost 0, duplicates 0, stuck 0")
        );

    [Test]
    public void Nothing_lost_is_a_bound_and_not_a_never() =>
        Assert.That(
            ReportText.Of(Report(OneLateOneGood)),
            Does.Contain("0 lost in 2 means at most 1.5e+0 of all, with 95 % confidence")
        );

    [Test]
    public void A_violation_makes_the_run_bad()
    {
        var broken = Checker.Check(new Evidence { Unsent = [Guid.NewGuid()] });
        Assert.Multiple(() =>
        {
            Assert.That(Report(OneLateOneGood).IsGood, Is.True);
            Assert.That((Report(OneLateOneGood) with { Findings = broken }).IsGood, Is.False);
        });
    }

    [Test]
    public void Where_every_order_has_to_be_accepted_at_once_a_second_try_is_too_many()
    {
        var late = Report(OneLateOneGood, mustAcceptAll: true);
        var good = Report(OneLateOneGood[4..], mustAcceptAll: true);
        Assert.Multiple(() =>
        {
            Assert.That((late.IsGood, late.AtFirstTry), Is.EqualTo((false, (2, 1))));
            Assert.That((good.IsGood, good.AtFirstTry), Is.EqualTo((true, (1, 1))));
        });
    }

    [Test]
    public void What_is_asked_while_the_API_is_down_does_not_count_against_it()
    {
        var killed = new FaultTimes(new PlannedFault(1, default, ApiKilled, default), Start, Start.AddSeconds(2));
        Assert.That(Report(OneLateOneGood).WithApiAndDatabaseUp, Is.EqualTo((3, 2)));
        Assert.That(
            Report(
                OneLateOneGood,
                recoveries: new Recovery(killed, TimeSpan.FromSeconds(1), false)
            ).WithApiAndDatabaseUp,
            Is.EqualTo((2, 2))
        );
    }

    [Test]
    public void Redrives_are_shown_with_their_totals_and_what_was_asked_for()
    {
        RedriveTotals totals = new(Guid.NewGuid(), "chaos, fault 7", "Done", null, 90, 0, 0, 71, 16, 3);
        OperatorCall[] calls =
        [
            new(Start, OperatorCall.Look, "", 200, Total: 90),
            new(Start, OperatorCall.Redriven, "", 409, "outstanding"),
            new(Start, OperatorCall.Redriven, ""),
            new(Start, OperatorCall.Resume, "", 200),
        ];
        var text = ReportText.Of(
            Report(OneLateOneGood) with
            {
                Operations = new Operations(
                    [],
                    [totals, totals with { Total = 1, Done = 1, FailedAgain = 0, Skipped = 0 }],
                    calls,
                    TimeSpan.FromSeconds(4)
                ),
            }
        );
        Assert.That(
            text,
            Does.Match(@"chaos, fault 7 +90 +71 +16 +3\s")
                .And.Match(@"together +91 +72 +16 +3\s")
                .And.Contain(
                    "operators asked 3 times, 1 outstanding, 1 without an answer; let a stopped redrive go on 1 times; in the end nothing was dead-lettered after 4.0 s"
                )
        );
    }

    [Test]
    public void A_worker_that_takes_too_long_to_stop_misses_its_target()
    {
        var rolled = new FaultTimes(
            new PlannedFault(1, default, FaultCatalogue.All.Single(t => t.Kind == FaultKind.Roll), default),
            Start,
            Start.AddSeconds(20)
        );
        var report = Report(OneLateOneGood, recoveries: new Recovery(rolled, TimeSpan.Zero, false));
        var soon = report with
        {
            Operations = Operations.None with { Stops = [new("email", 0, TimeSpan.FromSeconds(2), TimeSpan.Zero)] },
        };
        var late = report with
        {
            Operations = Operations.None with
            {
                Stops =
                [
                    new("email", 0, TimeSpan.FromSeconds(2), TimeSpan.Zero),
                    new("invoice", 0, TimeSpan.FromSeconds(26), TimeSpan.Zero),
                ],
            },
        };
        Assert.Multiple(() =>
        {
            Assert.That(ReportText.Of(soon), Does.Match(@"worker asked to stop +1 +2\.0 s +2\.0 s +25/25 s met"));
            Assert.That(ReportText.Of(late), Does.Match(@"worker asked to stop +2 +26\.0 s +26\.0 s +25/25 s MISSED"));
        });
    }

    [Test]
    public void Memory_that_grows_is_not_flat()
    {
        Sample[] flat = [.. Enumerable.Range(0, 9).Select(n => Sample(n < 3 ? 100 : 200))];
        Sample[] growing = [.. Enumerable.Range(0, 9).Select(n => Sample(100 + (n * 20)))];
        Assert.Multiple(() =>
        {
            Assert.That(Flatness.Of(flat).Single().IsFlat, Is.True);
            Assert.That(Flatness.Of(growing).Single().IsFlat, Is.False);
            Assert.That(
                Flatness
                    .Of([
                        .. growing.Select(s =>
                            s with
                            {
                                Memory = new Dictionary<string, double> { ["outside-world-1"] = s.Memory["api"] },
                            }
                        ),
                    ])
                    .Single()
                    .IsFlat,
                Is.True,
                "its ledgers grow with the orders"
            );
        });
    }

    private static Sample Sample(double memory) =>
        new(Start, new Dictionary<string, double> { ["api"] = memory }, new Dictionary<string, double>());

    [Test]
    public void What_still_moves_at_the_end_is_named()
    {
        var report = Report(OneLateOneGood) with
        {
            Drained = null,
            Moving = [new("queue email", 3, ""), new("outbox, to email", 12, "2 due,\n last error: full")],
        };
        Assert.That(
            ReportText.Of(report).ReplaceLineEndings("\n"),
            Does.Contain("NOT at rest in time")
                .And.Contain(
                    "still moving after the last order:\n    outbox, to email: 12 (2 due,  last error: full)\n    queue email: 3\n"
                )
                .And.Not.Contain("moving after the last redrive")
        );
    }

    [Test]
    public void Of_many_kinds_that_move_the_most_numerous_are_named_and_the_others_counted()
    {
        var text = MovingPart.TextOf([.. Enumerable.Range(1, 25).Select(n => new MovingPart($"queue {n}", n, ""))]);
        var lines = text.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.EqualTo(21));
            Assert.That(lines[0], Is.EqualTo("    queue 25: 25"));
            Assert.That(lines[^1], Is.EqualTo("    and 5 more kinds, 15 in all"));
        });
    }

    [Test]
    public void Nothing_that_moves_is_no_text() => Assert.That(MovingPart.TextOf([]), Is.Empty);

    private static Report Report(
        IReadOnlyList<HistoryEvent> history,
        bool mustAcceptAll = false,
        params IReadOnlyList<Recovery> recoveries
    ) =>
        new(
            ChaosOptions.Parse([]),
            new Scenario(Plan.Nothing, 2, 1, mustAcceptAll),
            history,
            recoveries,
            Good,
            TimeSpan.Zero,
            [],
            TimeSpan.Zero
        );

    private static HistoryEvent Event(int second, string name, string key, int attempt) =>
        new(
            Start.AddSeconds(second),
            name,
            key,
            attempt,
            attempt == 1 && name == HistoryEvent.Invoked ? $"{key}@example.com" : null,
            [],
            OrderId: name == HistoryEvent.Ok ? Guid.NewGuid() : null
        );
}
