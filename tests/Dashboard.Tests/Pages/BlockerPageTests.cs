using Orders.Dashboard.Alerts;
using Orders.Dashboard.Live;
using Orders.Dashboard.OrderPages;
using Orders.Dashboard.Overview;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Alerts;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// A paused step, a dependency that is down, and orders that lack an effect: said on the order's page, first on the
/// overview, and by the alerts.
/// </summary>
internal sealed class BlockerPageTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 4, 14, 5, 0, TimeSpan.Zero);

    private static readonly Standing Paused = Standing.Clear with
    {
        Paused = new Dictionary<string, PausedStep>
        {
            ["email"] = new("otto", "the texts are wrong", Now.AddMinutes(-3)),
        },
    };

    private static readonly Standing Down = Standing.Clear with
    {
        Down =
        [
            new(
                "smtp",
                BreakerState.Open,
                false,
                Now.AddMinutes(-1),
                Now.AddSeconds(20),
                "6 of 8 calls failed",
                ["email"]
            ),
        ],
    };

    private static readonly Standing Drained = Standing.Clear with
    {
        Drained = [new(Guid.Empty, "worker-1", ["email"], "otto", "a new disk", Now.AddMinutes(-2))],
    };

    [Test]
    public void A_paused_step_is_why_an_order_waits()
    {
        var why = WhyStuck.Of(Waiting(), Seen(Paused, consumers: 0), Now)!;
        Assert.That(
            (why.State, why.Head, why.Sentence, why.Link),
            Is.EqualTo(
                (
                    "warn",
                    "Step paused.",
                    "otto paused step email at 2026-03-04 14:02:00 UTC: the texts are wrong",
                    "/workers"
                )
            )
        );
    }

    [Test]
    public void A_dependency_that_is_down_is_why_an_order_waits()
    {
        var why = WhyStuck.Of(Waiting(), Seen(Down, consumers: 0), Now)!;
        Assert.That(
            (why.Head, why.Sentence),
            Is.EqualTo(
                (
                    "Dependency down.",
                    "Step email needs smtp, which is down: 6 of 8 calls failed. It is tried again in 20 s. No attempt is used up."
                )
            )
        );
    }

    [Test]
    public void Without_either_a_step_without_workers_is()
    {
        Assert.That(WhyStuck.Of(Waiting(), Seen(Standing.Clear, consumers: 0), Now)!.Head, Is.EqualTo("No workers."));
    }

    [Test]
    public void A_step_whose_workers_are_drained_is_why_an_order_waits()
    {
        var why = WhyStuck.Of(Waiting(), Seen(Drained, consumers: 0), Now)!;
        Assert.That(
            (why.Head, why.Sentence),
            Is.EqualTo(
                (
                    "Workers drained.",
                    "No worker of step email takes messages: those that live are drained. Give one back, or start another."
                )
            )
        );
        Assert.That(
            WhyStuck.Of(Waiting(), Seen(Drained, consumers: 1), Now)!.Head,
            Is.EqualTo("Waits its turn."),
            "another worker has it"
        );
    }

    [Test]
    public void The_present_attempt_runs_long_and_not_the_time_since_the_first_one()
    {
        StepRecord Retried(int seconds) =>
            new()
            {
                Step = "email",
                Status = StepStatus.Running,
                StartedAt = Now.AddMinutes(-5),
                AttemptStartedAt = Now.AddSeconds(-seconds),
            };
        Assert.That(WhyStuck.Of(Waiting(Retried(1)), Seen(Standing.Clear, 1), Now)!.Head, Is.Not.EqualTo("Runs long."));
        Assert.That(
            WhyStuck.Of(Waiting(Retried(40)), Seen(Standing.Clear, 1), Now)!.Sentence,
            Is.EqualTo("Step email has been running for 40 s; 99 of 100 take less than 10 s.")
        );
    }

    [Test]
    public void A_step_without_a_failed_attempt_has_not_failed_zero_times()
    {
        StepRecord Deferred(int attempts) =>
            new()
            {
                Step = "email",
                Status = StepStatus.Retrying,
                Attempts = attempts,
                NextAttemptAt = Now.AddSeconds(14),
                LastFault = "'smtp' serves nobody",
            };
        Assert.That(
            WhyStuck.Of(Waiting(Deferred(0)), Seen(Standing.Clear, 1), Now)!.Sentence,
            Is.EqualTo("Step email waits without an attempt; the next attempt is in 14 s. Reason: 'smtp' serves nobody")
        );
        Assert.That(
            WhyStuck.Of(Waiting(Deferred(2)), Seen(Standing.Clear, 1), Now)!.Sentence,
            Does.StartWith("Step email has failed 2 times; the next attempt is in 14 s. Last fault: ")
        );
    }

    [Test]
    public void The_overview_says_each_once()
    {
        Assert.That(
            Attention.In(Seen(Paused, consumers: 0)).Select(a => (a.Word, a.What)),
            Is.EqualTo(new[] { ("Paused", "email") })
        );
        Assert.That(
            Attention.In(Seen(Drained, consumers: 1)).Select(a => (a.State, a.Word, a.What, a.Sentence, a.Link)),
            Is.EqualTo(
                new[]
                {
                    (
                        "warn",
                        "Drained",
                        "worker-1",
                        "by otto at 2026-03-04 14:03:00 UTC: a new disk",
                        $"/workers/{Guid.Empty}"
                    ),
                }
            )
        );
        Assert.That(
            Attention.In(Seen(Down, consumers: 0)).Select(a => (a.Word, a.What)),
            Is.EqualTo(new[] { ("Down", "smtp") })
        );
        Assert.That(
            Attention.In(Seen(Standing.Clear with { Gaps = 3 }, consumers: 1)).Select(a => (a.Word, a.Sentence)),
            Is.EqualTo(new[] { ("Incomplete", "3 lack an effect after their deadline, or have one twice.") })
        );
    }

    [Test]
    public void The_overview_says_when_connections_run_out_or_may()
    {
        static Standing With(int inUse, int bounds, bool pooler = false) =>
            Standing.Clear with
            {
                Connections = new(inUse, new(10, bounds, 100), 20, pooler),
            };
        Assert.That(Attention.In(Seen(With(inUse: 50, bounds: 80), consumers: 1)), Is.Empty);
        Assert.That(
            Attention.In(Seen(With(inUse: 50, bounds: 81), consumers: 1)).Select(a => (a.State, a.Word)),
            Is.EqualTo(new[] { ("warn", "Connections") })
        );
        Assert.That(
            Attention.In(Seen(With(inUse: 50, bounds: 81, pooler: true), consumers: 1)),
            Is.Empty,
            "a pooler bounds them together"
        );
        Assert.That(
            Attention.In(Seen(With(inUse: 86, bounds: 80), consumers: 1)).Select(a => (a.State, a.Word, a.Sentence)),
            Is.EqualTo(new[] { ("bad", "Connections", "86 of 100 connections are open; soon new ones are refused.") })
        );
    }

    [Test]
    public void Alerts_tell_of_breakers_and_gaps_and_not_of_workers_that_are_meant_to_wait()
    {
        Assert.That(Fired(Seen(Paused, consumers: 0)), Is.Empty);
        Assert.That(Fired(Seen(Down, consumers: 0)), Is.EqualTo(new[] { ("breaker-open", "smtp") }));
        Assert.That(
            Fired(Seen(Standing.Clear with { Gaps = 1 }, consumers: 1)),
            Is.EqualTo(new[] { ("incomplete-subjects", "") })
        );
        Assert.That(Fired(Seen(Standing.Clear, consumers: 0)), Is.EqualTo(new[] { ("no-workers", "email") }));
    }

    private static (string, string)[] Fired(Snapshot snapshot) =>
        [.. AlertConditions.In(snapshot, AlertRule.Defaults).Select(c => (c.Rule, c.Subject))];

    private static Snapshot Seen(Standing standing, int consumers) =>
        new()
        {
            At = Now,
            Standing = standing,
            Queues =
            [
                new QueueState(new QueueFigures("email", 5, 0, consumers, 5, 0, 0), [5], null)
                {
                    Paused = standing.Paused.ContainsKey("email"),
                    Lacks = standing.DownFor("email")?.Name,
                },
            ],
        };

    private static CaseFile Waiting(StepRecord? step = null) =>
        new(
            new OrderDetails(
                new Order
                {
                    Id = Guid.NewGuid(),
                    Number = 1,
                    CreatedAt = Now.AddMinutes(-5),
                },
                OrderStatus.Processing,
                null,
                null,
                null,
                [step ?? new StepRecord { Step = "email", Status = StepStatus.Waiting }],
                [],
                [],
                null
            ),
            []
        );
}
