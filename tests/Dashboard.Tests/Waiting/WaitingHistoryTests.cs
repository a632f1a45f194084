using Orders.Dashboard.Alerts;
using Orders.Dashboard.Live;
using Orders.Dashboard.Overview;
using Orders.Dashboard.Waiting;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Monitoring;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Tests.Waiting;

/// <summary>Messages that wait for their next attempt: when that needs attention, why, and when it is over.</summary>
internal sealed class WaitingHistoryTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 4, 14, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(30);

    [Test]
    public void An_old_message_needs_attention_with_its_reason_and_a_forecast()
    {
        var history = new WaitingHistory(Age, rises: 5);
        var waiting = Look(history, 0, (240, "redelivery"), (41, "breaker"));
        Assert.That(waiting["email"].Late, Is.Null, "a redelivery after seconds is everyday life");
        for (var second = 1; second <= 240; second++)
            waiting = Look(history, second, (240, "redelivery"), (41, "breaker"));
        var says = Attention.In(Seen(waiting, 240, Down("smtp")))[^1];
        Assert.That(
            (says.State, says.Word, says.What, says.Sentence, says.Link, says.Weight),
            Is.EqualTo(
                (
                    "warn",
                    "Waits for retry",
                    "email",
                    "281 messages wait for their next attempt since 4 min (240 after a failed attempt, 41 because a dependency is down); last fault: SmtpException: 451 try again later; breaker of smtp open. Forecast: does not end while smtp is down; it is tried again in 20 s.",
                    "/queues/email",
                    281L
                )
            )
        );
    }

    [Test]
    public void A_number_that_falls_has_an_end_and_one_that_stands_has_none()
    {
        var falling = new WaitingHistory(Age, rises: 5);
        var standing = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> falls = null!,
            stands = null!;
        for (var second = 0; second <= 100; second++)
        {
            falls = Look(falling, second, (300 - second, "redelivery"));
            stands = Look(standing, second, (300, "redelivery"));
        }

        Assert.That(
            falls["email"].Forecast(paused: false, lacks: null),
            Is.EqualTo("done in about 3 min at the present rate")
        );
        Assert.That(
            stands["email"].Forecast(paused: false, lacks: null),
            Does.StartWith("does not end at this rate; the next attempt follows in")
        );
        Assert.That(
            stands["email"].Forecast(paused: true, lacks: null),
            Is.EqualTo("does not end while the step is paused")
        );
    }

    [Test]
    public void A_forecast_is_never_earlier_than_the_latest_attempt_that_it_counts()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        // Ten a second are done, and the last ten are tried in 14 s: not in 3.
        for (var second = 0; second <= 97; second++)
            waiting = Look(history, second, isBusy: false, latest: At(111), (1000 - (10 * second), "redelivery"));
        Assert.That(
            waiting["email"].Forecast(paused: false, lacks: null),
            Is.EqualTo("done in about 14 s, after the last of these attempts")
        );
    }

    [Test]
    public void Deferred_messages_are_not_said_to_wait_for_a_retry_where_none_does()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 60; second++)
            waiting = Look(history, second, (1, "retry-budget"));
        var seen = Seen(waiting, 60, Standing.Clear);
        Assert.That((seen.Queues[0].State.Word, seen.Queues[0].State.State), Is.EqualTo(("Deferred", "warn")));
        Assert.That(Attention.In(seen).Select(a => a.Word), Is.EqualTo(new[] { "Deferred" }));
        var values = LiveValues.Of(seen);
        Assert.That(
            (values["retry"], values["deferred"], values["q:email:retry"], values["q:email:deferred"]),
            Is.EqualTo(("0", "1", "0", "1"))
        );
    }

    [Test]
    public void The_overview_counts_what_waits_now_as_the_list_of_the_step_does()
    {
        var history = new WaitingHistory(Age, rises: 5);
        for (var second = 0; second <= 60; second++)
            Look(history, second, (281, "redelivery"));
        // Most are done; what is left has waited for a moment only.
        var waiting = history.Add(
            [new("email", IsRequired: true, "redelivery", 3, At(61), At(75), At(75), null)],
            At(62),
            _ => true
        );
        var item = Attention.In(Seen(waiting, 62, Standing.Clear)).Single();
        Assert.That((item.Word, item.Weight), Is.EqualTo(("Waits for retry", 3L)));
        Assert.That(
            item.Sentence,
            Does.StartWith(
                    "3 messages wait for their next attempt since 1.0 s (3 after a failed attempt); a moment ago"
                )
                .And.Contains("the oldest had waited for 60 s. Forecast: ")
        );

        waiting = Look(history, 63, isBusy: true);
        item = Attention.In(Seen(waiting, 63, Standing.Clear)).Single();
        Assert.That(
            (item.Word, item.Sentence),
            Is.EqualTo(
                (
                    "Retrying",
                    "281 messages have waited for their next attempt since 63 s (281 after a failed attempt); last fault: SmtpException: 451 try again later. Forecast: they are being tried now."
                )
            )
        );
    }

    [Test]
    public void Retries_that_come_in_waves_are_no_all_well_in_between_and_have_no_end_for_that()
    {
        var history = new WaitingHistory(Age, rises: 5);
        for (var second = 0; second <= 119; second++)
        {
            // All are tried for two seconds of each ten, and fail again.
            var waiting = second % 10 < 8 ? Look(history, second, (50, "redelivery")) : Look(history, second);
            if (second <= Age.TotalSeconds)
                continue;
            var snapshot = Seen(waiting, second, Standing.Clear);
            Assert.That(
                Attention.In(snapshot).Select(a => a.Word),
                Is.EqualTo(new[] { second % 10 < 8 ? "Waits for retry" : "Retrying" }),
                $"{second} s"
            );
            Assert.That(
                waiting["email"].Forecast(paused: false, lacks: null),
                Does.Not.StartWith("done"),
                $"{second} s"
            );
        }

        IReadOnlyDictionary<string, StepWaiting> after = null!;
        for (var second = 120; second <= 140; second++)
            after = Look(history, second);
        Assert.That(after, Is.Empty, "15 s after the last one waited");
    }

    [Test]
    public void A_number_that_grows_look_after_look_needs_attention_before_anything_is_old()
    {
        var history = new WaitingHistory(TimeSpan.FromHours(1), rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 30; second += 5)
            waiting = Look(history, second, (1 + second, "redelivery"));
        Assert.That(
            Attention.In(Seen(waiting, 30, Standing.Clear)).Select(a => a.Sentence),
            Has.One.EndsWith("Forecast: grows, and does not end at this rate.")
        );
    }

    [Test]
    public void A_step_that_no_order_waits_for_needs_attention_only_when_its_number_grows()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 100; second++)
            waiting = history.Add(
                [new("webhook", IsRequired: false, "redelivery", 3, Start, At(500), At(500), null)],
                At(second),
                _ => false
            );
        Assert.That(waiting["webhook"].Count, Is.EqualTo(3));
        Assert.That(Attention.In(Seen(waiting, 100, Standing.Clear)), Is.Empty);
        Assert.That(Fired(Seen(waiting, 1000, Standing.Clear)), Is.Empty);
    }

    [Test]
    public void What_waits_for_a_paused_step_is_said_once_by_the_pause()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 200; second++)
            waiting = Look(history, second, (5, "closed"));
        var paused = Standing.Clear with
        {
            Paused = new Dictionary<string, PausedStep> { ["email"] = new("otto", "new texts", Start) },
        };
        Assert.That(Attention.In(Seen(waiting, 200, paused)).Select(a => a.Word), Is.EqualTo(new[] { "Paused" }));
        Assert.That(Fired(Seen(waiting, 200, paused)), Is.Empty);
    }

    [Test]
    public void An_alert_is_raised_beyond_the_threshold_of_its_rule()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 31; second++)
        {
            waiting = Look(history, second, (281, "redelivery"));
            if (second == 29)
                Assert.That(Fired(Seen(waiting, second, Standing.Clear)), Is.Empty, "after 29 s");
        }

        Assert.That(
            Fired(Seen(waiting, 31, Standing.Clear)),
            Is.EqualTo(new[] { ("waiting-retries", "email") }),
            "after 31 s"
        );
    }

    [Test]
    public void Attempts_at_a_dependency_that_hangs_are_no_all_well_and_do_not_end_the_alert()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        var second = 0;
        for (; second <= 38 * 8; second++)
        {
            // All wait for eight seconds, and hang in an attempt for thirty.
            waiting = second % 38 < 8 ? Look(history, second, (50, "redelivery")) : Look(history, second, isBusy: true);
            if (second <= 38)
                continue;
            var seen = Seen(waiting, second, Standing.Clear);
            Assert.That(
                Attention.In(seen).Select(a => a.Word),
                Is.EqualTo(new[] { second % 38 < 8 ? "Waits for retry" : "Retrying" }),
                $"{second} s"
            );
            if (second > 121)
                Assert.That(Fired(seen), Is.EqualTo(new[] { ("waiting-retries", "email") }), $"{second} s");
        }

        for (var until = second + 16; second <= until; second++)
            waiting = Look(history, second);
        Assert.That(waiting, Is.Empty, "15 s after the queue was empty");
    }

    [Test]
    public void A_queue_that_is_never_empty_does_not_keep_an_outage_for_ever()
    {
        var history = new WaitingHistory(Age, rises: 5);
        IReadOnlyDictionary<string, StepWaiting> waiting = null!;
        for (var second = 0; second <= 40; second++)
            waiting = Look(history, second, (50, "redelivery"));
        Assert.That(waiting["email"].Late, Is.Not.Null);
        for (var second = 41; second <= 180; second++)
            waiting = Look(history, second, isBusy: true);
        Assert.That(waiting, Is.Empty);
    }

    [Test]
    public void A_steady_number_with_noise_does_not_grow()
    {
        var history = new WaitingHistory(TimeSpan.FromHours(1), rises: 5);
        for (var second = 0; second <= 240; second++)
        {
            var waiting = Look(history, second, (second == 100 ? 5 : 3 + (second % 2), "redelivery"));
            Assert.That((waiting["email"].IsGrowing, waiting["email"].Late), Is.EqualTo((false, (StepWaiting?)null)));
        }
    }

    [Test]
    public void More_than_were_counted_need_attention_although_neither_age_nor_growth_are_known()
    {
        var history = new WaitingHistory(TimeSpan.FromHours(1), rises: 5);
        var waiting = Look(history, 1, (WaitingReader.MostCounted, "redelivery"), (3, "breaker"));
        var seen = Seen(waiting, 1, Standing.Clear);
        Assert.That(
            Attention.In(seen).Select(a => a.Sentence),
            Has.One.StartsWith("10,003+ messages wait for their next attempt since")
        );
        Assert.That((LiveValues.Of(seen)["retry"], LiveValues.Of(seen)["deferred"]), Is.EqualTo(("10,000+", "3")));
        Assert.That(Fired(seen), Is.EqualTo(new[] { ("waiting-retries", "email") }));
    }

    [Test]
    public void An_alert_is_kept_and_sent_and_names_no_fault()
    {
        var waiting = Look(new WaitingHistory(Age, rises: 5), 300, (5, "redelivery"));
        Assert.That(waiting["email"].LastFault, Is.Not.Null);
        Assert.That(
            AlertConditions.In(Seen(waiting, 300, Standing.Clear), AlertRule.Defaults).Select(c => c.Says),
            Is.EqualTo(
                new[]
                {
                    "5 messages of step email wait for their next attempt, the oldest for more than 30 s (5 after a failed attempt). Forecast: too early for a forecast; the next attempt follows in 5.0 s.",
                }
            )
        );
    }

    private static IReadOnlyDictionary<string, StepWaiting> Look(
        WaitingHistory history,
        int second,
        params (long Count, string Cause)[] parts
    ) => Look(history, second, isBusy: false, parts);

    private static IReadOnlyDictionary<string, StepWaiting> Look(
        WaitingHistory history,
        int second,
        bool isBusy,
        params (long Count, string Cause)[] parts
    ) => Look(history, second, isBusy, latest: null, parts);

    private static IReadOnlyDictionary<string, StepWaiting> Look(
        WaitingHistory history,
        int second,
        bool isBusy,
        DateTimeOffset? latest,
        params (long Count, string Cause)[] parts
    ) =>
        history.Add(
            [
                .. parts.Select(p => new WaitingMessages(
                    "email",
                    IsRequired: true,
                    p.Cause,
                    p.Count,
                    Start,
                    At(second + 5),
                    latest ?? At(second + 5),
                    p.Cause == "redelivery" ? "SmtpException: 451 try again later" : null
                )),
            ],
            At(second),
            _ => isBusy
        );

    private static DateTimeOffset At(int second) => Start.AddSeconds(second);

    private static Standing Down(string dependency) =>
        Standing.Clear with
        {
            Down = [new(dependency, BreakerState.Open, false, Start, At(260), "6 of 8 calls failed", ["email"])],
        };

    private static Snapshot Seen(IReadOnlyDictionary<string, StepWaiting> waiting, int second, Standing standing) =>
        new()
        {
            At = At(second),
            Standing = standing,
            Waiting = waiting,
            // A queue that is empty, with a worker.
            Queues =
            [
                new QueueState(new QueueFigures("email", 0, 0, 1, 0, 0, 0), [0], null)
                {
                    Waiting = waiting.GetValueOrDefault("email"),
                },
            ],
        };

    private static (string, string)[] Fired(Snapshot snapshot) =>
        [.. AlertConditions.In(snapshot, AlertRule.Defaults).Select(c => (c.Rule, c.Subject))];
}
