using System.Collections.Immutable;
using System.Text.Json;
using Orders.Dashboard.Live;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Tests.Live;

/// <summary>Titles say "last 2 min" and "60 s": so far back the figures go, at whatever pace they were taken.</summary>
internal sealed class HistoryWindowTests
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [TestCase(1)]
    [TestCase(5)]
    public void Points_of_the_charts_go_back_two_minutes(int pace)
    {
        var points = ImmutableArray<double?[]>.Empty;
        for (var at = 0; at <= 600; at += pace)
            points = Orders.Dashboard.Live.Feed.Extend(
                points,
                Begin.AddSeconds(at),
                new Dictionary<string, StepFigures>()
            );
        Assert.That(points[^1][0] - points[0][0], Is.EqualTo(120));
    }

    [Test]
    public void A_time_without_figures_is_a_gap()
    {
        var points = Orders.Dashboard.Live.Feed.Extend([], Begin, null);
        Assert.That(points.Single().Skip(1), Is.All.Null);
    }

    // 1.2 s: a look takes its time, and the next one begins a second after it.
    [TestCase(0.8)]
    [TestCase(1)]
    [TestCase(1.2)]
    [TestCase(5)]
    public void Depths_are_one_a_second_and_growth_is_a_second(double pace)
    {
        var history = new QueueHistory();
        QueueState state = null!;
        for (var at = TimeSpan.Zero; at <= TimeSpan.FromSeconds(300); at += TimeSpan.FromSeconds(pace))
            state = history.Add(Waiting(1000 + (3 * at.Ticks / TimeSpan.TicksPerSecond)), Begin + at);
        Assert.That(state.Depths, Has.Length.EqualTo(60));
        Assert.That(state.Growth, Is.EqualTo(3).Within(0.06));
    }

    [TestCase(30)]
    [TestCase(60)]
    [TestCase(61)]
    [TestCase(3600)]
    public void Growth_after_a_gap_is_that_of_the_gap(int gap)
    {
        var history = new QueueHistory();
        for (var at = 0; at < 60; at++)
            history.Add(Waiting(10 * at), Begin.AddSeconds(at));
        var state = history.Add(Waiting(10 * (59 + gap)), Begin.AddSeconds(59 + gap));
        Assert.That(state.Depths, Has.Length.EqualTo(60));
        Assert.That(state.Growth, Is.EqualTo(10).Within(0.01));
    }

    [Test]
    public void Messages_that_were_there_before_have_been_there_since_the_first_look_at_least()
    {
        var history = new QueueHistory();
        TimeSpan Look(int second, long published, long ready) =>
            history.Add(Figures(published, ready), Begin.AddSeconds(second)).AtLeast;
        Assert.Multiple(() =>
        {
            Assert.That(Look(0, 1000, 5), Is.EqualTo(TimeSpan.Zero), "just seen");
            Assert.That(Look(60, 1000, 5), Is.EqualTo(TimeSpan.FromSeconds(60)), "they still wait");
            Assert.That(Look(61, 1000, 0), Is.EqualTo(TimeSpan.Zero), "gone");
            // The broker counts what came some seconds later: not an hour of waiting.
            Assert.That(Look(3600, 1000, 7), Is.EqualTo(TimeSpan.Zero), "came just now, and not yet counted");
            Assert.That(Look(3605, 1007, 7), Is.EqualTo(TimeSpan.Zero), "counted");
            Assert.That(Look(3615, 1007, 7), Is.EqualTo(TimeSpan.FromSeconds(10)), "they wait");
        });
    }

    [Test]
    public void A_clock_that_is_set_back_adds_no_depths()
    {
        var history = new QueueHistory();
        history.Add(Waiting(5), Begin);
        history.Add(Waiting(6), Begin.AddHours(-1));
        var state = history.Add(Waiting(7), Begin.AddHours(-1).AddSeconds(1));
        Assert.That(state.Depths, Is.EqualTo((long[])[6, 7]));
    }

    [TestCase(null, "[5,6,7]", TestName = "Depths_of_a_look_that_took_three_seconds")]
    [TestCase("silent", "[7,7,7]", TestName = "Depths_while_the_broker_is_silent_repeat_the_last_one")]
    public void Depths_that_are_sent(string? fault, string expected)
    {
        var sent = Known(fault);
        Assert.That(DepthsSent(sent, sent with { Version = 2, At = Begin.AddSeconds(3) }), Is.EqualTo(expected));
    }

    [Test]
    public void No_depth_is_sent_twice_for_one_second()
    {
        var sent = Known(null);
        Assert.That(DepthsSent(sent, sent with { Version = 2, At = Begin.AddSeconds(0.9) }), Is.Null);
        Assert.That(DepthsSent(sent, sent with { Version = 2, At = Begin.AddSeconds(1.1) }), Is.EqualTo("7"));
        Assert.That(DepthsSent(null, sent), Is.EqualTo("[4,5,6,7]"));
    }

    private static QueueFigures Figures(long published, long ready) => new("hurried", ready, 0, 1, published, 3, 0);

    private static QueueFigures Waiting(long ready) => new("hurried", ready, 0, 1, ready, 3, 0);

    private static Snapshot Known(string? fault) =>
        new()
        {
            Version = 1,
            At = Begin,
            BrokerFault = fault,
            Queues = [new QueueState(Waiting(7), [4, 5, 6, 7], null)],
        };

    private static string? DepthsSent(Snapshot? sent, Snapshot now)
    {
        using var tick = JsonDocument.Parse(LiveStream.Write(sent, now).AsMemory("data: ".Length));
        return tick.RootElement.TryGetProperty("d", out var depths) ? depths.GetProperty("hurried").GetRawText() : null;
    }
}
