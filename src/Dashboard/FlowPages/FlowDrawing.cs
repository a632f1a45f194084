using System.Globalization;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.FlowPages;

/// <summary>
/// Where everything stands in the picture of the steps: messages on the left, in the middle a box per step and queue,
/// with an arrow from each message that starts it.
/// </summary>
internal sealed class FlowDrawing
{
    /// <summary>The picture's width, in its own units.</summary>
    public const int Width = 900;

    /// <summary>The width of a message's box.</summary>
    public const int MessageWidth = 190;

    /// <summary>The height of a message's box.</summary>
    public const int MessageHeight = 28;

    /// <summary>Where the boxes of the steps begin.</summary>
    public const int StepLeft = 350;

    /// <summary>The width of a step's box.</summary>
    public const int StepWidth = 290;

    /// <summary>The height of a step's box.</summary>
    public const int StepHeight = 68;

    private const int Gap = 14;

    /// <summary>Draws a flow.</summary>
    public FlowDrawing(StepFlow flow)
    {
        Boxes =
        [
            .. flow
                .Steps.Select(step => (step.Name, step.Exchanges, (FlowStep?)step))
                .Concat(flow.Subscribers.Select(s => (s.Queue, s.Exchanges, (FlowStep?)null)))
                .Select((box, row) => new FlowBox(box.Item1, box.Item3, row * (StepHeight + Gap), box.Item2)),
        ];
        Messages = Place(Boxes);
        Arrows =
        [
            .. Boxes.SelectMany(box =>
                Messages.Where(m => box.Exchanges.Contains(m.Exchange)).Select(message => new FlowArrow(message, box))
            ),
        ];
    }

    /// <summary>The messages, from top to bottom.</summary>
    public IReadOnlyList<FlowMessage> Messages { get; }

    /// <summary>Steps, then queues of other systems, from top to bottom.</summary>
    public IReadOnlyList<FlowBox> Boxes { get; }

    /// <summary>Who starts what.</summary>
    public IReadOnlyList<FlowArrow> Arrows { get; }

    /// <summary>The picture's height.</summary>
    public int Height =>
        Math.Max(
            Boxes.Select(b => b.Top + StepHeight).DefaultIfEmpty(StepHeight).Max(),
            Messages.Select(m => m.Top + MessageHeight).DefaultIfEmpty(0).Max()
        );

    // Each message stands at the height of what it starts, and none upon another.
    private static List<FlowMessage> Place(IReadOnlyList<FlowBox> boxes)
    {
        var placed = new List<FlowMessage>();
        var free = 0;
        foreach (
            var (exchange, middle) in boxes
                .SelectMany(box => box.Exchanges.Select(exchange => (exchange, Middle: box.Top + StepHeight / 2)))
                .GroupBy(pair => pair.exchange, pair => pair.Middle)
                .Select(group => (group.Key, group.Average()))
                .OrderBy(pair => pair.Item2)
                .ThenBy(pair => pair.Key, StringComparer.Ordinal)
        )
        {
            var top = Math.Max(free, (int)middle - MessageHeight / 2);
            placed.Add(new FlowMessage(exchange, top));
            free = top + MessageHeight + Gap;
        }

        return placed;
    }
}

/// <summary>A message type.</summary>
/// <param name="Exchange">Its exchange.</param>
/// <param name="Top">Where its box begins.</param>
internal sealed record FlowMessage(string Exchange, int Top)
{
    /// <summary>Its name without the namespace.</summary>
    public string Name => Exchange[(Exchange.IndexOf(':', StringComparison.Ordinal) + 1)..];
}

/// <summary>A step with its queue, or the queue of another system.</summary>
/// <param name="Name">The queue.</param>
/// <param name="Step">The step; null for another system.</param>
/// <param name="Top">Where the box begins.</param>
/// <param name="Exchanges">What starts it.</param>
internal sealed record FlowBox(string Name, FlowStep? Step, int Top, IReadOnlyList<string> Exchanges);

/// <summary>An arrow from a message to what it starts.</summary>
/// <param name="From">The message.</param>
/// <param name="To">What it starts.</param>
internal sealed record FlowArrow(FlowMessage From, FlowBox To)
{
    /// <summary>The line, as SVG writes it.</summary>
    public string Path
    {
        get
        {
            var (x1, y1) = (FlowDrawing.MessageWidth, From.Top + FlowDrawing.MessageHeight / 2);
            var (x2, y2) = (FlowDrawing.StepLeft - 6, To.Top + FlowDrawing.StepHeight / 2);
            var middle = (x1 + x2) / 2;
            return string.Create(CultureInfo.InvariantCulture, $"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}");
        }
    }
}
