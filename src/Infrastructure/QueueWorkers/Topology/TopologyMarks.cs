namespace QueueWorkers.Topology;

/// <summary>
/// The marks of a complete queue: bindings from an exchange to which nobody publishes. The broker removes them with the
/// queue, so a queue that somebody has recreated has none.
/// </summary>
internal static class TopologyMarks
{
    /// <summary>The exchange that the marks are bound to.</summary>
    public const string Exchange = "queue-workers-topology";

    /// <summary>The queue is complete; its lost messages are not all sent again.</summary>
    public static Binding Begun(ExpectedQueue queue) => Of(queue, "begun");

    /// <summary>The queue is complete, and its lost messages were sent again.</summary>
    public static Binding Settled(ExpectedQueue queue) => Of(queue, "settled");

    private static Binding Of(ExpectedQueue queue, string mark) =>
        new(Exchange, queue.Name, true, $"{queue.Name} {mark}");
}
