using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Reports;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps;

/// <summary>
/// What a step's author uses of the run that a message is consumed in. What is written, published and rejected here is
/// collected, and committed together after <c>Consume</c> has returned. The engine's side is <see cref="StepRun"/>.
/// </summary>
public sealed class StepContext
{
    private readonly StepRun _run;

    internal StepContext(StepRun run)
    {
        _run = run;
        Effect = new StepEffect(run);
        Report = new StepReporter(run);
    }

    /// <summary>
    /// The original message id: stays the same over retry, redelivery and redrive. Fit to be an idempotency key towards
    /// the outside world.
    /// </summary>
    public Guid MessageId => _run.MessageId;

    /// <summary>What the message is about: its correlation id.</summary>
    public Guid SubjectId => _run.SubjectId;

    /// <summary>1 for the first run on the message, counted over retries and redeliveries.</summary>
    public int Attempt => _run.Attempt;

    /// <summary>The effect of this run on the subject: its name, and claims on it.</summary>
    public StepEffect Effect { get; }

    /// <summary>What the attempt tells about itself: progress, log lines, a result.</summary>
    public StepReporter Report { get; }

    /// <summary>Rows of the application to write in the commit; null when the framework's own rows are all.</summary>
    public IStepWrite? Write
    {
        get => _run.Write;
        set => _run.Write = value;
    }

    /// <summary>Publishes a message with the commit: if the run is dropped or fails, it was never sent.</summary>
    /// <param name="message">The message; it keeps this run's subject as its correlation id and continues its
    /// trace.</param>
    /// <param name="dueAt">When it may leave; null for at once. Kept within a second, or 10 % of the wait.</param>
    /// <param name="expiresAt">Until when it has to be begun; what is not is recorded as expired. Null for
    /// ever.</param>
    public void Publish<T>(T message, DateTimeOffset? dueAt = null, DateTimeOffset? expiresAt = null)
        where T : class => _run.Publish(message, dueAt, expiresAt);

    /// <summary>Records a business refusal: the step ends as Rejected, which is no fault and is not repeated.</summary>
    /// <param name="reason">A sentence for people.</param>
    public void Reject(string reason) => _run.Reject(reason);

    /// <summary>Call when a message that undoes finds nothing that was done.</summary>
    public void NothingToDo() => _run.NothingToDo();

    /// <summary>
    /// Ends the step as Cancelled if its subject is, unless an earlier run began the effect: that has to be brought to
    /// an end, and is undone afterwards.
    /// </summary>
    /// <param name="cancelled">Whether the subject is cancelled, as the step has read it together with what it works
    /// on.</param>
    /// <exception cref="SubjectCancelledException">It is.</exception>
    public void StopIf(bool cancelled) => _run.StopIf(cancelled);
}
