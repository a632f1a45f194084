using MimeKit;
using Orders.Dashboard.Viewing;
using Orders.Smtp;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>Mails alerts, through the mail server of the email step and with its login.</summary>
internal sealed class MailReceiver(AlertOptions options, SmtpOptions server) : IAlertReceiver, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly SmtpConnector _connector = new(server.WithEhloName(MailboxAddress.Parse(options.MailFrom).Domain));

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
        using var smtp = await _connector.OpenAsync(wrap: null, limit.Token);
        await smtp.SendAsync(mail, limit.Token);
        await smtp.DisconnectAsync(quit: true, limit.Token);
    }

    /// <inheritdoc />
    public void Dispose() => _connector.Dispose();
}
