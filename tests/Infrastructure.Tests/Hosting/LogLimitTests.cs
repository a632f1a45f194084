using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orders.Testing;
using QueueWorkers.Hosting.Borders;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>Lines that say the same are bounded and counted; others are not hidden by them.</summary>
public sealed class LogLimitTests
{
    private readonly Clock _clock = new();

    [Test]
    public void An_event_that_comes_often_takes_half_of_the_bound_and_says_how_many_were_left_out()
    {
        var limit = new LogLimit(20, _clock);
        var taken = Enumerable.Range(0, 1000).Count(_ => Takes(limit, 2001, out var unsaid) && unsaid == 0);
        Assert.That(taken, Is.EqualTo(10));

        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.That(Takes(limit, 2001, out var more), Is.True);
        Assert.That(more, Is.EqualTo(990), "lines that were left out");
        Assert.That(Takes(limit, 2001, out more), Is.True);
        Assert.That(more, Is.Zero, "counted once");
    }

    [Test]
    public void Ten_events_that_come_often_leave_room_for_another_one()
    {
        var limit = new LogLimit(20, _clock);
        for (var i = 0; i < 1000; i++)
            Takes(limit, 2000 + (i % 10), out _);
        Assert.That(Takes(limit, 4001, out _), Is.True);
    }

    [Test]
    public void No_second_has_more_lines_than_the_bound()
    {
        var limit = new LogLimit(20, _clock);
        var times = new List<TimeSpan>();
        for (var i = 0; i < 20_000; i++)
        {
            if (Takes(limit, i % 40, out _, $"text {i % 40}"))
                times.Add(_clock.Now);
            _clock.Pass(TimeSpan.FromMilliseconds(1));
        }

        var most = times.Max(begin => times.Count(t => t >= begin && t < begin + TimeSpan.FromSeconds(1)));
        Assert.That(most, Is.EqualTo(20));
        Assert.That(times, Has.Count.InRange(390, 420), "20 seconds");
    }

    [TestCase(LogLevel.Critical)]
    [TestCase(LogLevel.Debug)]
    public void Critical_and_debug_lines_are_not_bounded(LogLevel level)
    {
        var limit = new LogLimit(20, _clock);
        Assert.That(
            Enumerable.Range(0, 1000).Count(_ => limit.Takes("Orders", 1, level, null, out _)),
            Is.EqualTo(1000)
        );
    }

    [Test]
    public void Zero_is_no_bound()
    {
        var limit = new LogLimit(0, _clock);
        Assert.That(Enumerable.Range(0, 1000).Count(_ => Takes(limit, 1, out var _)), Is.EqualTo(1000));
    }

    [Test]
    public void The_next_line_says_how_many_were_left_out()
    {
        using var capture = new LogCapture();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(capture)).AddSingleton(new LogLimit(2, _clock));
        services.AddMaskedLogging();
        using var provider = services.BuildServiceProvider();
        var logger = provider.GetRequiredService<ILoggerFactory>().CreateLogger("Orders");
        for (var i = 0; i < 5; i++)
            logger.LogWarning(new EventId(7), "Mail was not sent: {Order}", i);
        _clock.Pass(TimeSpan.FromSeconds(1));
        logger.LogWarning(new EventId(7), "Mail was not sent: {Order}", 5);
        Assert.That(
            string.Join('|', capture.Lines.Select(l => l.Line[l.Line.IndexOf("Mail", StringComparison.Ordinal)..])),
            Is.EqualTo("Mail was not sent: 0|Mail was not sent: 5 (4 more since the last line)")
        );
    }

    private static bool Takes(LogLimit limit, int id, out int unsaid, string? text = null) =>
        limit.Takes("Orders", id, LogLevel.Warning, text, out unsaid);

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time) => Now += time;

        public override long GetTimestamp() => Now.Ticks;
    }
}
