using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Orders.Dashboard.Viewing;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>Mails alerts.</summary>
internal sealed class MailReceiver(AlertOptions options) : IAlertReceiver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <inheritdoc />
    public string Name => "the mail server";

    /// <inheritdoc />
    public async Task TellAsync(Alert alert, CancellationToken cancellationToken)
    {
        var over = alert.ResolvedAt is not null;
        using var mail = new MimeMessage
        {
            // The same for a repetition, so that a mail program can show it once.
            MessageId = $"alert.{alert.Id:N}.{(over ? "over" : "fires")}@orders",
            Subject = $"{(over ? "Over" : "Alert")}: {alert.Rule}{(alert.Subject == "" ? "" : $" {alert.Subject}")}",
            Body = new TextPart("plain")
            {
                Text =
                    $"{alert.Says}\n\nSince {Texts.Utc(alert.Since)}{(over ? $", over since {Texts.Utc(alert.ResolvedAt!.Value)}" : "")}\n{options.LinkTo(alert.Link)}\n",
            },
        };
        mail.From.Add(MailboxAddress.Parse(options.MailFrom));
        mail.To.Add(MailboxAddress.Parse(options.MailTo));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        using var smtp = new SmtpClient();
        await smtp.ConnectAsync(
            options.SmtpHost,
            options.SmtpPort,
            SecureSocketOptions.StartTlsWhenAvailable,
            limit.Token
        );
        await smtp.SendAsync(mail, limit.Token);
        await smtp.DisconnectAsync(quit: true, limit.Token);
    }
}
