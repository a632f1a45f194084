using System.Diagnostics;
using QueueWorkers.Clocks;
using QueueWorkers.Outbox;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Reports;

namespace QueueWorkers.Steps.Runs;

/// <summary>
/// One run of a step on one message, and everything it wants committed, as data. The framework commits it after
/// <c>Consume</c> has returned, together with other runs, and acks the message after that commit. A run whose message
/// or effect was committed before is dropped as a whole: none of what stands here happens twice. It is the engine's side
/// of a run, for writers and <see cref="IStepProgress"/>; a step's author uses <see cref="StepContext"/>.
/// </summary>
public sealed class StepRun
{
    /// <summary>An effect of this name after the step's undoes the step's own.</summary>
    public const string CompensationSuffix = "-undo";

    private readonly List<OutboxMessage> _outgoing = [];
    private readonly EffectClaims? _claims;
    private (int Outgoing, string? Rejection)? _asConsumed;
    private bool _withdrawn;
    private RunClaim? _claim;
    private RunReport? _report;
    private Action? _committed;

    internal StepRun(
        StepPolicy policy,
        Guid messageId,
        Guid subjectId,
        Guid conversationId,
        int attempt,
        EffectClaims? claims
    )
    {
        Policy = policy;
        MessageId = messageId;
        SubjectId = subjectId;
        ConversationId = conversationId;
        Attempt = attempt;
        Effect = policy.Name;
        _claims = claims;
        StartedAt = DatabaseClock.UtcNow;
        Trace = Activity.Current;
    }

    /// <summary>What the step's author uses of it.</summary>
    internal StepContext Context => field ??= new StepContext(this);

    /// <summary>The step's policy.</summary>
    public StepPolicy Policy { get; }

    /// <summary>The step's name.</summary>
    public string Step => Policy.Name;

    /// <summary>
    /// The original message id: stays the same over retry, redelivery and redrive. Fit to be an idempotency key towards
    /// the outside world.
    /// </summary>
    public Guid MessageId { get; }

    /// <summary>What the message is about: its correlation id.</summary>
    public Guid SubjectId { get; }

    /// <summary>The chain of messages the message belongs to.</summary>
    public Guid ConversationId { get; }

    /// <summary>1 for the first run on the message, counted over retries and redeliveries.</summary>
    public int Attempt { get; }

    /// <summary>
    /// When the message was deferred for the first time since its last attempt or redrive; null when it was not.
    /// </summary>
    public DateTimeOffset? DeferredSince { get; internal init; }

    /// <summary>
    /// When the message was sent, at the first time; null for a foreign message that does not say so.
    /// </summary>
    public DateTimeOffset? QueuedAt { get; internal init; }

    /// <summary>When the run began.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The trace the run is part of; its messages continue it. Null when nobody listens.</summary>
    public Activity? Trace { get; }

    /// <summary>
    /// The effect's name, at most one per subject for ever. Default: the step's name; a step with several effects names
    /// each.
    /// </summary>
    public string Effect { get; set; }

    /// <summary>Rows of the application to write in the commit; null when the framework's own rows are all.</summary>
    public IStepWrite? Write { get; set; }

    /// <summary>Why the step was refused for a business reason; null when it was not.</summary>
    public string? Rejection { get; private set; }

    /// <summary>
    /// Whether the run does a secondary effect such as an apology, which does not change the step's status.
    /// </summary>
    public bool IsSecondary { get; set; }

    /// <summary>Messages that go out with the commit.</summary>
    public IReadOnlyList<OutboxMessage> Outgoing => _withdrawn ? [] : _outgoing;

    /// <summary>
    /// 1 (lowest) to 9 (highest), as the message that is being consumed; null is the broker's normal, 4. What the run
    /// publishes keeps it.
    /// </summary>
    public short? Priority { get; internal init; }

    /// <summary>
    /// The value of a key that the message carries, by the key's name; null when it carries none. What the run
    /// publishes carries it too, where its contract declares it.
    /// </summary>
    public Func<string, string?> Keys { get; internal init; } = static _ => null;

    /// <summary>
    /// Whether the run undoes what the step did for its subject: an effect of its own, which happens at most once.
    /// </summary>
    public bool IsCompensation { get; private set; }

    /// <summary>
    /// Whether an earlier run began the effect and died: it has to be brought to an end even though the subject was
    /// cancelled.
    /// </summary>
    internal bool MustFinish { get; set; }

    /// <summary>
    /// Whether the run has found nothing to do: its message is acked and leaves no trace, so that another one may find
    /// more.
    /// </summary>
    internal bool HasNothingToDo { get; private set; }

    /// <summary>Publishes a message with the commit: if the run is dropped or fails, it was never sent.</summary>
    /// <param name="message">The message; it keeps this run's subject as its correlation id and continues its
    /// trace.</param>
    public void Publish<T>(T message)
        where T : class => Publish(message, dueAt: null);

    /// <summary>The same for a message that is to arrive later, or to lose its worth.</summary>
    /// <param name="message">The message.</param>
    /// <param name="dueAt">When it may leave; null for at once. Kept within a second, or 10 % of the wait.</param>
    /// <param name="expiresAt">Until when it has to be begun; what is not is recorded as expired. Null for
    /// ever.</param>
    public void Publish<T>(T message, DateTimeOffset? dueAt, DateTimeOffset? expiresAt = null)
        where T : class
    {
        var exchange = MessageName.ExchangeOf(typeof(T));
        lock (_outgoing)
        {
            var number = 1;
            foreach (var earlier in _outgoing)
            {
                if (earlier.Exchange == exchange)
                    number++;
            }

            var id = OutgoingMessage.IdOf<T>(MessageId, Step, number);
            _outgoing.Add(
                OutgoingMessage.Create(
                    message,
                    SubjectId,
                    ConversationId,
                    MessageId,
                    Trace,
                    dueAt,
                    priority: Priority,
                    expiresAt: expiresAt,
                    id: id,
                    keys: Keys
                )
            );
        }
    }

    /// <summary>Adds a message that was serialized elsewhere.</summary>
    public void Add(OutboxMessage message)
    {
        // Parallel publishes from one consumer are legal.
        lock (_outgoing)
            _outgoing.Add(message);
    }

    /// <summary>
    /// Tells how far the attempt is. Shown with the subject's step within a second or two, and kept with the attempt.
    /// </summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="activity">What it is at; null leaves what was said before.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is none.</exception>
    internal void ReportProgress(double share, string? activity = null) => EnsureReport().Progress(share, activity);

    /// <summary>
    /// Writes a line into the attempt's own log, which whoever looks at the subject sees. Bounded: of many lines the
    /// last ones are kept.
    /// </summary>
    internal void Log(string line) => EnsureReport().Log(line);

    /// <summary>Keeps what came out of the attempt, as JSON.</summary>
    /// <exception cref="ArgumentException">It is larger than <see cref="RunReport.LargestResult"/>.</exception>
    internal void Result<T>(T result) => EnsureReport().Result(result);

    /// <summary>Records a business refusal: the step ends as Rejected, which is no fault and is not repeated.</summary>
    /// <param name="reason">A sentence for people.</param>
    public void Reject(string reason) => Rejection = reason;

    /// <summary>Call when a message that undoes finds nothing that was done.</summary>
    internal void NothingToDo() => HasNothingToDo = true;

    /// <summary>
    /// Ends the step as Cancelled if its subject is, unless an earlier run began the effect: that has to be brought to
    /// an end, and is undone afterwards.
    /// </summary>
    /// <param name="cancelled">Whether the subject is cancelled, as the step has read it together with what it works
    /// on.</param>
    /// <exception cref="SubjectCancelledException">It is.</exception>
    internal void StopIf(bool cancelled)
    {
        if (cancelled && !MustFinish && !IsCompensation)
            throw new SubjectCancelledException(SubjectId);
    }

    /// <summary>What is recorded of the step's own work for the subject; for a run that undoes it.</summary>
    /// <exception cref="Npgsql.NpgsqlException">The database cannot be read.</exception>
    internal Task<StepState> StateAsync(CancellationToken cancellationToken) =>
        (
            _claims
            ?? throw new InvalidOperationException("This run was built without a database; StateAsync needs one.")
        ).StateAsync(this, cancellationToken);

    /// <summary>
    /// Where the run stood when it was abandoned, because it ignored cancellation; null when it was not.
    /// </summary>
    internal string? AbandonedAt { get; private set; }

    /// <summary>What the run has told about itself; null when that is nothing.</summary>
    internal RunReport? Report => Volatile.Read(ref _report);

    /// <summary>What the run knows of its claim.</summary>
    internal RunClaim Claim => LazyInitializer.EnsureInitialized(ref _claim);

    /// <summary>Whether something of a claim is left to be settled when the run has ended.</summary>
    // The token of its claim; null without one.
    internal DateTimeOffset? ClaimUntil => Volatile.Read(ref _claim)?.Until;

    internal bool HasOpenClaim => Volatile.Read(ref _claim)?.IsOpen is true;

    internal Task SettleOpenClaimAsync(CancellationToken cancellationToken) =>
        _claims?.SettleOpenAsync(this, cancellationToken) ?? Task.CompletedTask;

    /// <summary>Nothing the run still wants is written from now on, and it can claim nothing.</summary>
    internal void Abandon(string where)
    {
        AbandonedAt = where;
        Claim.Abandon();
    }

    /// <summary>
    /// Drops the messages that the run wanted to send: its subject was cancelled before this commit, and they would
    /// begin more. What the run did stays.
    /// </summary>
    public void Withdraw() => _withdrawn = true;

    /// <summary>
    /// Calls back once the run's commit has succeeded, and never when it is rolled back: for counts. For whoever takes
    /// part in the commit (<see cref="IStepProgress"/>, writers). A process that dies right after the commit does not
    /// call.
    /// </summary>
    /// <param name="action">Must not throw, and must not wait.</param>
    public void OnCommitted(Action action) => _committed += action;

    internal void Committed() => _committed?.Invoke();

    internal void Compensate()
    {
        IsCompensation = true;
        IsSecondary = true;
        Effect = $"{Step}{CompensationSuffix}";
    }

    private RunReport EnsureReport() => LazyInitializer.EnsureInitialized(ref _report);

    // A batch that fails is written again in halves, and its writers decide again: what they added the first time must
    // not stay.
    internal void BeginWrite()
    {
        _withdrawn = false;
        _committed = null;
        if (_asConsumed is not { } consumed)
        {
            _asConsumed = (_outgoing.Count, Rejection);
            return;
        }

        _outgoing.RemoveRange(consumed.Outgoing, _outgoing.Count - consumed.Outgoing);
        Rejection = consumed.Rejection;
    }

    /// <summary>
    /// Call before an effect in the outside world that must not happen twice. Commits that the effect is about to
    /// begin, so that a run after a crash knows.
    /// </summary>
    /// <param name="lease">Longer than the call can take; while it lasts no other run begins the effect.</param>
    /// <param name="reference">What to look for in the outside system afterwards, such as the mail's
    /// Message-ID.</param>
    /// <param name="cancellationToken">A run that is cancelled before the claim's commit has ended gets no claim. The
    /// commit itself is waited for.</param>
    /// <returns>
    /// Whether to go ahead, to stop because it was done, or to ask the outside system first because an earlier run may
    /// have done it.
    /// </returns>
    /// <exception cref="EffectInProgressException">Another run holds the lease; the message comes again when it has
    /// ended, and no attempt is counted.</exception>
    internal Task<EffectClaim> ClaimAsync(TimeSpan lease, string? reference, CancellationToken cancellationToken) =>
        (
            _claims
            ?? throw new InvalidOperationException("This run was built without a database; ClaimAsync needs one.")
        ).ClaimAsync(this, lease, reference, cancellationToken);

    /// <summary>
    /// Call when the effect certainly did not happen (connection refused, a clear no): takes the claim back, so that
    /// the next attempt may go ahead.
    /// </summary>
    internal Task ReleaseClaimAsync() =>
        (
            _claims
            ?? throw new InvalidOperationException(
                "This run was built without a database; ReleaseClaimAsync needs one."
            )
        ).ReleaseAsync(this);

    /// <summary>
    /// Call when nobody can say whether the effect happened: records it as uncertain and dead-letters the message.
    /// </summary>
    /// <exception cref="UncertainEffectException">Always.</exception>
    internal Task GiveUpAsUncertainAsync(string? reference) =>
        (
            _claims
            ?? throw new InvalidOperationException(
                "This run was built without a database; GiveUpAsUncertainAsync needs one."
            )
        ).GiveUpAsync(this, reference);
}
