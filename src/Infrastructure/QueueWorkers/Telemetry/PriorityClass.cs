namespace QueueWorkers.Telemetry;

/// <summary>The label <c>class</c>: two values, whatever priority a message carries.</summary>
public static class PriorityClass
{
    /// <summary>A priority above the broker's normal one, 4.</summary>
    public const string High = "high";

    /// <summary>All others, and messages without a priority.</summary>
    public const string Normal = "normal";

    private const short Middle = 4;

    /// <summary>The class of a priority.</summary>
    public static string Of(short? priority) => priority > Middle ? High : Normal;
}
