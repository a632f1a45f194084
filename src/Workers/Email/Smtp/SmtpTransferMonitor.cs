using System.Diagnostics;
using System.Runtime.ExceptionServices;
using MailKit;

namespace Orders.Workers.Email.Smtp;

/// <summary>
/// Watches a mail go out, for the one question that matters after a lost connection: may the server have the whole
/// mail?
/// MailKit reports the last piece of the text before it writes the final dot. Before the first write after that report
/// the server cannot have accepted the mail; after it nobody knows.
/// It is also the last moment at which a run can stop: one that was frozen until its lease had ended must not send, for
/// another run may be sending. And it is the latest moment for the claim, where nobody can be asked afterwards.
/// </summary>
/// <param name="lease">How long the run owns the sending, from the claim on.</param>
/// <param name="claim">Claims the mail, or throws; null when it is claimed already.</param>
internal sealed class SmtpTransferMonitor(TimeSpan lease, Func<Task>? claim = null) : ITransferProgress
{
    private long _claimedAt = Stopwatch.GetTimestamp();
    private volatile bool _isTextOut;
    private bool _isClaimed;
    private ExceptionDispatchInfo? _refusal;

    /// <summary>Whether the final dot may have been sent.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Whether the lease has ended: another run may own the sending by now.</summary>
    public bool HasLapsed => Stopwatch.GetElapsedTime(_claimedAt) >= lease;

    /// <inheritdoc />
    public void Report(long bytesTransferred, long totalSize)
    {
        if (claim is null)
            ThrowIfLapsed();
        _isTextOut |= bytesTransferred >= totalSize;
    }

    /// <inheritdoc />
    public void Report(long bytesTransferred) => Report(bytesTransferred, 0);

    /// <summary>The mail begins, perhaps anew on another connection.</summary>
    public void Begin() => _isTextOut = false;

    /// <summary>
    /// Called before each write to the server: before the one that carries the final dot, claims the mail and looks at
    /// the lease once more. The server has nothing if this throws.
    /// </summary>
    /// <param name="cancellationToken">The time limit of the mail.</param>
    public async ValueTask BeforeWriteAsync(CancellationToken cancellationToken)
    {
        if (!_isTextOut || IsComplete)
            return;
        if (claim is not null && !_isClaimed)
        {
            _claimedAt = Stopwatch.GetTimestamp();
            try
            {
                await claim();
            }
            catch (Exception refusal)
            {
                // MailKit only sees that the connection is of no use any more.
                _refusal = ExceptionDispatchInfo.Capture(refusal);
                throw;
            }

            _isClaimed = true;
        }

        Failpoint.Hit("email.before_dot", Outside.Smtp);
        // The claim is not cut off; if it has taken all the time there was, nothing is sent.
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfLapsed();
        IsComplete = true;
    }

    /// <summary>Throws what the claim has thrown.</summary>
    public void ThrowIfRefused() => _refusal?.Throw();

    private void ThrowIfLapsed()
    {
        if (HasLapsed)
            throw new MailLeaseLapsedException(
                $"The mail was not sent: its run was held up longer than its lease of {lease.TotalSeconds:0.#} s, and another run may be sending it."
            );
    }
}

/// <summary>A run was held up until its lease had ended, and stopped before the mail was complete.</summary>
internal sealed class MailLeaseLapsedException(string message) : Exception(message);
