using MimeKit;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;

namespace Orders.Workers.Email;

/// <summary>
/// Sends a mail at most once, whatever crashes:
/// 0. A connection to the mail server is taken. Connecting and logging in is what takes longest and fails most: a run
///    that dies at it has claimed nothing.
/// 1. The claim says that the mail is about to be sent, under which Message-ID. A run that dies before this line has
///    done nothing. Where the server can be asked, the claim comes before the mail. Where it cannot, it comes as late as
///    possible: when the text is out, and before the final dot, without which no server accepts a mail.
/// 2. The mail goes out. If the server certainly has not accepted it, the claim is taken back and the next attempt
///    starts at 1.
/// 3. A run that dies after the server's 250 leaves the claim. The next run asks for the receipt: there, nothing is
///    left to do but to record it; not there, the mail is sent.
/// 4. A lost reply is the same question, asked at once. If the receipt is not there yet, the claim stays: the server
///    may still be at it, so the next run asks after the lease.
/// 5. Where nobody can be asked, the mail is uncertain and a person decides.
/// </summary>
public sealed class AtMostOnceMailSender(Mailer mailer, Receipts receipts, EmailOptions options)
{
    /// <summary>Sends the run's mail, unless it was sent.</summary>
    /// <param name="step">The run; its effect and order make the Message-ID.</param>
    /// <param name="write">Writes the mail for a sender and a Message-ID.</param>
    /// <param name="cancellationToken">Ends the run before the mail begins; a mail that has begun is brought to an
    /// end.</param>
    public async Task SendAsync(
        StepContext step,
        Func<MailboxAddress, string, MimeMessage> write,
        CancellationToken cancellationToken
    )
    {
        var messageId = MessageIds.For(step.Effect.Name, step.SubjectId, options.Sender.Domain);
        using var message = write(options.Sender, messageId);
        cancellationToken.ThrowIfCancellationRequested();
        await using var connected = await mailer.ConnectAsync();
        if (!receipts.CanAnswer)
        {
            await SendUnaskedAsync(step, connected, message, messageId, cancellationToken);
            return;
        }

        var handover = new SmtpTransferMonitor(options.Lease);
        // Not cancellable: what an earlier run may have begun is brought to an end.
        switch (await step.Effect.ClaimAsync(options.Lease, messageId, CancellationToken.None))
        {
            case EffectClaim.AlreadyDone:
                return;
            case EffectClaim.Granted when cancellationToken.IsCancellationRequested:
                await step.Effect.ReleaseClaimAsync();
                throw new OperationCanceledException(cancellationToken);
            case EffectClaim.MaybeDone when await WasAcceptedAsync(step, messageId):
                return;
        }

        if (
            await SendAsync(step, connected, message, handover) == MailOutcome.Unknown
            && !await WasAcceptedAsync(step, messageId)
        )
            throw new MailOutcomeUnknownException(messageId);
    }

    // Nobody can be asked: between the claim and the server's reply lies nothing but the final dot. A run that is held
    // up or dies before has left nothing that a person would have to decide on.
    private async Task SendUnaskedAsync(
        StepContext step,
        MailConnection connected,
        MimeMessage message,
        string messageId,
        CancellationToken cancellationToken
    )
    {
        var handover = new SmtpTransferMonitor(options.Lease, ClaimAsync);
        try
        {
            if (await SendAsync(step, connected, message, handover) == MailOutcome.Unknown)
                await step.Effect.GiveUpAsUncertainAsync(messageId);
        }
        catch (MailDoneBeforeException)
        {
            // The commit drops this run as a copy.
        }

        async Task ClaimAsync()
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (await step.Effect.ClaimAsync(options.Lease, messageId, CancellationToken.None))
            {
                case EffectClaim.AlreadyDone:
                    throw new MailDoneBeforeException();
                case EffectClaim.MaybeDone:
                    await step.Effect.GiveUpAsUncertainAsync(messageId);
                    break;
            }
        }
    }

    private async Task<MailOutcome> SendAsync(
        StepContext step,
        MailConnection connected,
        MimeMessage message,
        SmtpTransferMonitor handover
    )
    {
        try
        {
            return await mailer.SendAsync(connected, message, handover);
        }
        catch (Exception exception)
            when (exception is MailNotSentException or RecipientDeferredException or PermanentFaultException)
        {
            // Without this line the next attempt would take the mail for one that may have been sent, and wait out the
            // lease to ask. A lapsed claim may belong to another run by now: then this changes nothing.
            await step.Effect.ReleaseClaimAsync();
            throw;
        }
    }

    private async Task<bool> WasAcceptedAsync(StepContext step, string messageId)
    {
        var accepted = await receipts.HasAcceptedAsync(messageId);
        step.Report.Log(
            $"Nobody knew whether mail {messageId} had been sent; asked for its receipt: {(accepted ? "it had been" : "it had not been")}."
        );
        return accepted;
    }

    // Ends the sending before the final dot.
    private sealed class MailDoneBeforeException() : Exception("The mail was sent before.");
}
