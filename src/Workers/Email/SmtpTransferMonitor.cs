using System.Diagnostics;
using MailKit;

namespace Orders.Workers.Email;

/// <summary>
/// Watches a mail go out, for the one question that matters after a lost connection: may the server have the whole
/// mail?
/// MailKit reports the last piece of the text before it writes the final dot. Before that report the server cannot have
/// accepted the mail; after it nobody knows.
/// It is also the last moment at which a run can stop: one that was frozen until its lease had ended must not send, for
/// another run may be sending.
/// </summary>
/// <param name="lease">How long the run owns the sending, from now on.</param>
internal sealed class SmtpTransferMonitor(TimeSpan lease) : ITransferProgress
{
    private readonly long _begun = Stopwatch.GetTimestamp();

    /// <summary>Whether the final dot may have been sent.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Whether the lease has ended: another run may own the sending by now.</summary>
    public bool HasLapsed => Stopwatch.GetElapsedTime(_begun) >= lease;

    /// <inheritdoc />
    public void Report(long bytesTransferred, long totalSize)
    {
        if (HasLapsed)
            throw new MailLeaseLapsedException(
                $"The mail was not sent: its run was held up longer than its lease of {lease.TotalSeconds:0.#} s, and another run may be sending it."
            );
        IsComplete |= bytesTransferred >= totalSize;
    }

    /// <inheritdoc />
    public void Report(long bytesTransferred) => Report(bytesTransferred, 0);
}

/// <summary>A run was held up until its lease had ended, and stopped before the mail was complete.</summary>
internal sealed class MailLeaseLapsedException(string message) : Exception(message);
