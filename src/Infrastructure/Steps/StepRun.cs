using System.Diagnostics;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// One run of a step on one message, and everything it wants committed, as data. The framework commits it after <c>Consume</c> has returned, together with other runs,
/// and acks the message after that commit. A run whose message or effect was committed before is dropped as a whole: none of what stands here happens twice.
/// </summary>
public sealed class StepRun
{
    private readonly List<OutboxMessage> _outgoing = [];
    private readonly EffectClaims? _claims;
    private (int Outgoing, string? Rejection)? _asConsumed;

    internal StepRun(StepPolicy policy, Guid messageId, Guid subjectId, Guid conversationId, int attempt, EffectClaims? claims)
    {
        Policy = policy;
        MessageId = messageId;
        SubjectId = subjectId;
        ConversationId = conversationId;
        Attempt = attempt;
        Effect = policy.Name;
        _claims = claims;
        StartedAt = DateTimeOffset.UtcNow;
        Trace = Activity.Current;
    }

    /// <summary>The step's policy.</summary>
    public StepPolicy Policy { get; }

    /// <summary>The step's name.</summary>
    public string Step => Policy.Name;

    /// <summary>The original message id: stays the same over retry, redelivery and redrive. Fit to be an idempotency key towards the outside world.</summary>
    public Guid MessageId { get; }

    /// <summary>What the message is about: its correlation id; in Orders the order.</summary>
    public Guid SubjectId { get; }

    /// <summary>The chain of messages the message belongs to.</summary>
    public Guid ConversationId { get; }

    /// <summary>1 for the first run on the message, counted over retries and redeliveries.</summary>
    public int Attempt { get; }

    /// <summary>When the run began.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The trace the run is part of; its messages continue it. Null when nobody listens.</summary>
    public Activity? Trace { get; }

    /// <summary>The effect's name, at most one per subject for ever. Default: the step's name; a step with several effects names each.</summary>
    public string Effect { get; set; }

    /// <summary>Rows of the application to write in the commit; null when the framework's own rows are all.</summary>
    public IStepWrite? Write { get; set; }

    /// <summary>Why the step was refused for a business reason; null when it was not.</summary>
    public string? Rejection { get; private set; }

    /// <summary>Whether this run stands for the whole step; false for an extra effect such as an apology, which leaves the subject's progress alone.</summary>
    public bool CountsAsStep { get; set; } = true;

    /// <summary>Messages that go out with the commit.</summary>
    public IReadOnlyList<OutboxMessage> Outgoing => _outgoing;

    /// <summary>Publishes a message with the commit: if the run is dropped or fails, it was never sent.</summary>
    /// <param name="message">The message; it keeps this run's subject as its correlation id and continues its trace.</param>
    public void Publish<T>(T message)
        where T : class => Add(OutgoingMessage.Create(message, SubjectId, ConversationId, MessageId, Trace));

    /// <summary>Adds a message that was serialized elsewhere.</summary>
    public void Add(OutboxMessage message)
    {
        // Parallel publishes from one consumer are legal.
        lock (_outgoing)
            _outgoing.Add(message);
    }

    /// <summary>Records a business refusal: the step ends as Rejected, which is no fault and is not repeated.</summary>
    /// <param name="reason">A sentence for people.</param>
    public void Reject(string reason) => Rejection = reason;

    // A batch that fails is written again in halves, and its writers decide again: what they added the first time must not stay.
    internal void BeginWrite()
    {
        if (_asConsumed is not { } consumed)
        {
            _asConsumed = (_outgoing.Count, Rejection);
            return;
        }

        _outgoing.RemoveRange(consumed.Outgoing, _outgoing.Count - consumed.Outgoing);
        Rejection = consumed.Rejection;
    }

    /// <summary>
    /// Call before an effect in the outside world that must not happen twice. Commits that the effect is about to begin, so that a run after a crash knows.
    /// </summary>
    /// <param name="lease">Longer than the call can take; while it lasts no other run begins the effect.</param>
    /// <param name="reference">What to look for in the outside system afterwards, such as the mail's Message-ID.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>Whether to go ahead, to stop because it was done, or to ask the outside system first because an earlier run may have done it.</returns>
    /// <exception cref="EffectInProgressException">Another run holds the lease; the message comes again when it has ended, and no attempt is counted.</exception>
    public Task<EffectClaim> ClaimAsync(TimeSpan lease, string? reference, CancellationToken cancellationToken) =>
        (_claims ?? throw new InvalidOperationException("This run was built without a database; ClaimAsync needs one.")).ClaimAsync(this, lease, reference, cancellationToken);

    /// <summary>Call when the effect certainly did not happen (connection refused, a clear no): takes the claim back, so that the next attempt may go ahead.</summary>
    public Task ReleaseClaimAsync() =>
        (_claims ?? throw new InvalidOperationException("This run was built without a database; ReleaseClaimAsync needs one.")).ReleaseAsync(this);

    /// <summary>Call when nobody can say whether the effect happened: records it as uncertain and parks the message.</summary>
    /// <exception cref="UncertainEffectException">Always.</exception>
    public Task GiveUpAsUncertainAsync(string? reference) =>
        (_claims ?? throw new InvalidOperationException("This run was built without a database; GiveUpAsUncertainAsync needs one.")).GiveUpAsync(this, reference);
}
