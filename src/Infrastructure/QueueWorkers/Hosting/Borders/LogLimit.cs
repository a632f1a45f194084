using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using QueueWorkers.Clocks;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Bounds the log lines of a process: while a dependency is down, every message under way has something to say, and all
/// of them say the same.
/// The first line of an event in a second may use the whole bound; repeated ones share half of it, so that an event
/// that comes often hides no other. What is left out is counted, and the event's next line says how many.
/// Not bounded: critical lines, what the host says of its start and its end, and the levels below Information, which
/// somebody has switched on to see everything.
/// </summary>
/// <param name="perSecond">Lines in any second; 0 for no bound.</param>
/// <param name="time">The clock.</param>
internal sealed class LogLimit(int perSecond, TimeProvider time)
{
    private const int Default = 20;

    private const string Lifetime = "Microsoft.Hosting.Lifetime";
    private const int MostEvents = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Category, int Id, string? Text), (long SaidAt, int Unsaid)> _events = [];

    // When the last lines were written, in a ring.
    private readonly long[] _lines = new long[Math.Max(1, perSecond)];
    private int _next;
    private long _count;

    /// <summary>Reads the bound.</summary>
    /// <exception cref="InvalidConfigurationException">It is no number, or a negative one.</exception>
    public static LogLimit Read(IConfiguration configuration)
    {
        var text = configuration["Logging:LinesPerSecond"];
        if (string.IsNullOrEmpty(text))
            return new LogLimit(Default, DatabaseClock.Provider);
        new ConfigurationProblems()
            .Require(
                int.TryParse(text, out var given) && given is >= 0 and <= 100_000,
                $"Logging:LinesPerSecond must be a number of log lines per second from 0 (no bound) to 100000, got '{text}'"
            )
            .ThrowIfAny();
        return new LogLimit(given, DatabaseClock.Provider);
    }

    /// <summary>Whether a line may be written.</summary>
    /// <param name="category">Its logger.</param>
    /// <param name="id">Its event; 0 for one without an id.</param>
    /// <param name="level">Its level.</param>
    /// <param name="text">The text with placeholders; tells events without an id apart.</param>
    /// <param name="unsaid">How many lines of the event were left out since its last one.</param>
    public bool Takes(string category, int id, LogLevel level, string? text, out int unsaid)
    {
        unsaid = 0;
        if (perSecond == 0 || level is LogLevel.Critical or < LogLevel.Information || category == Lifetime)
            return true;
        var now = time.GetTimestamp();
        var key = (category, id, id == 0 ? text : null);
        lock (_lock)
        {
            var known = _events.TryGetValue(key, out var before);
            var isFirst = !known || now - before.SaidAt >= time.TimestampFrequency;
            if (!HasRoom(now, isFirst ? perSecond : Math.Max(1, perSecond / 2)))
            {
                _events[key] = (known ? before.SaidAt : long.MinValue / 2, before.Unsaid + 1);
                return false;
            }

            unsaid = before.Unsaid;
            // Texts that are made up anew each time would fill the memory.
            if (_events.Count >= MostEvents)
                _events.Clear();
            _events[key] = (now, 0);
            _lines[_next] = now;
            _next = (_next + 1) % _lines.Length;
            _count++;
            return true;
        }
    }

    // Whether fewer than so many lines were written within the last second.
    private bool HasRoom(long now, int most)
    {
        if (_count < most)
            return true;
        var at = _lines[(_next - most + _lines.Length) % _lines.Length];
        return now - at >= time.TimestampFrequency;
    }
}
