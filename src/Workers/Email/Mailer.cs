using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;
using Orders.Smtp;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Steps;

namespace Orders.Workers.Email;

/// <summary>
/// Hands a mail to the server and tells what is known afterwards: accepted, certainly not, or nobody knows.
/// </summary>
public sealed partial class Mailer(SmtpPool pool, EmailOptions options)
{
    private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes a connection to the server, which may mean to connect, to encrypt and to log in. No mail has begun then.
    /// </summary>
    /// <exception cref="MailNotSentException">There is no connection.</exception>
    internal async Task<MailConnection> ConnectAsync()
    {
        using var span = SmtpSpan.Begin("smtp connect", options.Smtp);
        try
        {
            var begun = Stopwatch.GetTimestamp();
            using var limit = new CancellationTokenSource(options.SendTimeout);
            var connection = await TakeAsync(limit.Token);
            var left = options.SendTimeout - Stopwatch.GetElapsedTime(begun);
            return new MailConnection(pool, connection, left > LeastTime ? left : LeastTime);
        }
        catch (Exception fault)
        {
            SmtpSpan.Fail(span, fault);
            throw;
        }
    }

    /// <summary>
    /// Sends a mail over a connection within what connecting has left of <see cref="EmailOptions.SendTimeout"/>.
    /// </summary>
    /// <exception cref="MailNotSentException">Certainly not accepted; try again later.</exception>
    /// <exception cref="RecipientDeferredException">Certainly not accepted: the recipient is refused for
    /// now.</exception>
    /// <exception cref="PermanentFaultException">This mail is refused for good.</exception>
    /// <remarks>What the claim of the transfer throws is thrown as it is: the server has nothing then.</remarks>
    internal async Task<MailOutcome> SendAsync(
        MailConnection connected,
        MimeMessage message,
        SmtpTransferMonitor handover
    )
    {
        using var span = SmtpSpan.Begin("smtp send", options.Smtp);
        try
        {
            var outcome = await SendInTimeAsync(connected, message, handover);
            if (outcome == MailOutcome.Unknown)
                SmtpSpan.SetUnknown(span);
            return outcome;
        }
        catch (Exception fault)
        {
            SmtpSpan.Fail(span, fault);
            throw;
        }
    }

    private async Task<MailOutcome> SendInTimeAsync(
        MailConnection connected,
        MimeMessage message,
        SmtpTransferMonitor handover
    )
    {
        // Only the time limit cancels: a shutdown that cut a mail off after its last byte would leave an open question
        // for the sake of a second.
        using var limit = new CancellationTokenSource(connected.TimeLeft);
        for (var connection = connected.Take(); ; connection = await TakeAsync(limit.Token))
        {
            Exception? fault = null;
            try
            {
                await connection.SendAsync(message, handover, limit.Token);
                return MailOutcome.Accepted;
            }
#pragma warning disable CA1031 // Every kind of failure is given its meaning below.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                fault = exception;
            }
            finally
            {
                await pool.GiveBackAsync(
                    connection,
                    isBroken: fault is not (null or SmtpCommandException or MailTooLargeException)
                );
            }

            // Not the server's doing: this run may not send.
            handover.ThrowIfRefused();
            if (fault is SmtpCommandException reply && !IsGoodbye(reply))
                throw Refused(reply);
            if (fault is MailTooLargeException)
                throw new PermanentFaultException(
                    $"The mail was not sent, and never will be: {fault.Message}. Raise the server's limit, or shorten the order; then redrive.",
                    fault
                )
                {
                    IsAnswer = true,
                };
            // 530 at MAIL FROM, which MailKit does not report as a refused command.
            if (fault is ServiceNotAuthenticatedException)
                throw RefusedEverybody(Printable(fault.Message), fault);
            if (handover.IsComplete)
                return fault is SmtpCommandException goodbye ? throw Refused(goodbye) : MailOutcome.Unknown;
            // A pooled connection that the server had closed: this mail has not begun, and another connection is no
            // second attempt.
            if (connection.IsReused && fault is not OperationCanceledException)
                continue;
            throw NotSent(fault);
        }
    }

    private async Task<SmtpConnection> TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await pool.TakeAsync(cancellationToken);
        }
        catch (SmtpCommandException exception) when (!IsGoodbye(exception))
        {
            throw RefusedEverybody($"{(int)exception.StatusCode} {Printable(exception.Message)}", exception);
        }
        catch (Exception exception)
            when (exception
                    is MailKit.Security.AuthenticationException
                        or MailKit.Security.SslHandshakeException
                        or SmtpLoginException
                        or SmtpCertificateException
                        or NotSupportedException
            )
        {
            throw RefusedEverybody(Printable(exception.Message), exception);
        }
        catch (Exception exception)
            when (exception
                    is IOException
                        or SocketException
                        or OperationCanceledException
                        or CommandException
                        or ProtocolException
                        or TimeoutException
            )
        {
            throw NotSent(exception);
        }
    }

    // 421: the server closes the session, for reasons of its own.
    private static bool IsGoodbye(SmtpCommandException reply) => reply.StatusCode == SmtpStatusCode.ServiceNotAvailable;

    private Exception Refused(SmtpCommandException reply)
    {
        var said = $"{(int)reply.StatusCode} {Printable(reply.Message)}";
        return SmtpReplies.ScopeOf(reply) switch
        {
            RefusalScope.Mail => new PermanentFaultException(
                $"The mail server refused the mail for good: {said}. Correct the address or the server's rules, then redrive.",
                reply
            )
            {
                IsAnswer = true,
            },
            RefusalScope.Recipient => new RecipientDeferredException(
                $"The mail server refused the recipient for now: {said}.",
                reply
            ),
            RefusalScope.Everybody => RefusedEverybody(said, reply),
            _ => new MailNotSentException($"The mail server refused the mail for now: {said}.", reply),
        };
    }

    private MailServerRefusedException RefusedEverybody(string said, Exception fault) =>
        new(
            $"The mail server {options.Smtp.Host}:{options.Smtp.Port} refuses every mail: {said}. "
                + "Check Email:Smtp (login, Security, CaFile, EhloName), Email:From and the server's rules and quotas. Mails wait and go on by themselves.",
            fault
        );

    private MailNotSentException NotSent(Exception fault) =>
        new(
            fault is OperationCanceledException
                ? $"The mail server {options.Smtp.Host}:{options.Smtp.Port} did not take the mail within Email:SendTimeout of {options.SendTimeout.TotalSeconds:0.#} s."
                : $"The mail server {options.Smtp.Host}:{options.Smtp.Port} could not be reached or broke off before the mail was complete: {Printable(fault.Message)}",
            fault
        );

    /// <summary>
    /// A server's words made fit for logs and pages: no control characters, no mail addresses, no end of them.
    /// </summary>
    private static string Printable(string reply)
    {
        var text = AddressPattern().Replace(ControlPattern().Replace(reply, " "), "<address>").Trim();
        return text.Length <= 200 ? text : text[..200];
    }

    [GeneratedRegex(@"\p{C}+")]
    private static partial Regex ControlPattern();

    [GeneratedRegex(@"<?[^\s<>:;,""]+@[^\s<>:;,""]+>?")]
    private static partial Regex AddressPattern();
}
