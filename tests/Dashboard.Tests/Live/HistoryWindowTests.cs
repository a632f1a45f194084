using System.Collections.Immutable;
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

    [TestCase(1)]
    [TestCase(5)]
    public void Depths_are_one_a_second_and_growth_is_a_second(int pace)
    {
        var history = new QueueHistory();
        QueueState state = null!;
        for (var at = 0; at <= 300; at += pace)
            state = history.Add(
                new QueueFigures("hurried", 1000 + 3 * at, 0, 1, 1000 + 3 * at, 3, 0),
                Begin.AddSeconds(at)
            );
        Assert.That((state.Depths.Length, state.Depths[^1] - state.Depths[0]), Is.EqualTo((60, 3L * 59)));
        Assert.That(state.Growth, Is.EqualTo(3));
    }
}
