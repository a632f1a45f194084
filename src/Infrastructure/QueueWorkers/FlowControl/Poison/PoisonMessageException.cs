using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>The message has killed its process so often that it is dead-lettered without another run.</summary>
public sealed class PoisonMessageException(string step, Guid messageId, int deliveries, int deaths, string host)
    : PermanentFaultException(
        $"Message {messageId} kills its process: delivered {deliveries} times to '{step}' without an end, and {deaths} process(es) died while they ran nothing else, the last one on {host}. "
            + "Look there for the reason of the death (exit code, memory, crash dump), correct the step, then redrive."
    )
{
    /// <summary>The step that is killed.</summary>
    public string Step { get; } = step;

    /// <summary>The original message id.</summary>
    public Guid MessageId { get; } = messageId;
}
