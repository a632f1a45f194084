using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Live;

/// <summary>
/// Remembers the queues' figures: their depth second by second, and how many messages had been put in by when. From the
/// second follows the age of the oldest message:
/// a queue gives out in the order in which it took in, so with 7 waiting the oldest is the one that made the total what
/// it is now less 6.
/// </summary>
internal sealed class QueueHistory
{
    /// <summary>How many depths are kept, one for each second.</summary>
    public const int Seconds = 60;

    private const int MostMarks = 4000;

    private readonly Dictionary<string, (List<long> Depths, List<(DateTimeOffset At, long Published)> Marks)> _queues =
    [];
    private readonly Dictionary<string, DateTimeOffset> _looked = [];

    // Since when we know of messages that were there when we began to look, as long as some of them are left.
    private readonly Dictionary<string, DateTimeOffset> _heldSince = [];

    /// <summary>
    /// How many seconds of the clock began between two looks, so that the sum over many looks is the time that passed:
    /// 0 within one second, less when the clock was set back.
    /// </summary>
    public static long SecondsBetween(DateTimeOffset before, DateTimeOffset now) =>
        now.ToUnixTimeSeconds() - before.ToUnixTimeSeconds();

    public QueueState Add(QueueFigures figures, DateTimeOffset now)
    {
        if (!_queues.TryGetValue(figures.Name, out var past))
            _queues[figures.Name] = past = ([], []);
        var (depths, marks) = past;
        // One depth for each second: while nobody watches, five of them pass between two looks.
        var passed = _looked.TryGetValue(figures.Name, out var before) ? SecondsBetween(before, now) : 1;
        _looked[figures.Name] = now;
        if (figures.Ready > 0 && marks.Count == 0)
            _heldSince[figures.Name] = now;
        var known = depths.LastOrDefault(figures.Ready);
        if (passed < 1 && depths.Count > 0)
            depths.RemoveAt(depths.Count - 1);
        for (var i = Math.Max(1, passed - Seconds + 1); i < passed; i++)
            depths.Add(known + ((figures.Ready - known) * i / passed));
        depths.Add(figures.Ready);
        if (depths.Count > Seconds)
            depths.RemoveRange(0, depths.Count - Seconds);

        // A total that shrank was counted by a broker that has restarted since: what was known of the order is lost.
        if (marks.Count > 0 && figures.Published < marks[^1].Published)
        {
            marks.Clear();
            _heldSince.TryAdd(figures.Name, now);
        }

        if (marks.Count == 0 || figures.Published > marks[^1].Published)
            marks.Add((now, figures.Published));
        var head = figures.Published - figures.Ready;
        var first = marks.FindIndex(m => m.Published > head);
        if (first > 1)
            marks.RemoveRange(0, first - 1);
        if (marks.Count > MostMarks)
            marks.RemoveRange(0, marks.Count - MostMarks);
        first = marks.FindIndex(m => m.Published > head);
        // The very first mark is no moment of arrival: those messages were there when we began to look.
        TimeSpan? oldest = figures.Ready == 0 || first < 1 ? null : now - marks[first].At;
        if (figures.Ready == 0 || oldest is not null)
            _heldSince.Remove(figures.Name);
        return new QueueState(figures, [.. depths], oldest)
        {
            AtLeast = figures.Ready == 0 ? TimeSpan.Zero : oldest ?? HeldFor(figures.Name, now),
        };
    }

    // Without a moment of arrival: they were there before, or the broker has not counted yet that they came.
    private TimeSpan HeldFor(string queue, DateTimeOffset now) =>
        _heldSince.TryGetValue(queue, out var since) && since < now ? now - since : TimeSpan.Zero;
}
