using System.Text;
using MimeKit;
using Orders.Smtp;
using QueueWorkers.Hosting;
using QueueWorkers.Tls;

namespace Orders.Workers.Email;

/// <summary>Configuration of the email step, section <c>Email</c>.</summary>
public sealed class EmailOptions
{
    /// <summary>The mail server.</summary>
    public SmtpOptions Smtp { get; init; } = new();

    /// <summary>The sender: an address with or without a name. The Message-IDs have its domain.</summary>
    public string From { get; init; } = "";

    /// <summary>Time limit of one mail, connecting included. Default: 15 seconds.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Where to ask whether the mail server accepted a mail: <c>GET {url}?messageId=…</c> answers a JSON array, empty
    /// when it was not accepted. Without it, a run that dies after the server's answer leaves its mail uncertain.
    /// </summary>
    public Uri? ReceiptsUrl { get; init; }

    /// <summary>
    /// The mail server whose accepted mails <see cref="ReceiptsUrl"/> lists. It must be <c>Email:Smtp:Host</c>: the
    /// list of another server lacks these mails, and each lost reply would send a mail twice.
    /// </summary>
    public string? ReceiptsOf { get; init; }

    /// <summary>Recipient of the report on articles that run out. Default: the sender.</summary>
    public string? ReportsTo { get; init; }

    /// <summary>Articles with fewer pieces on hand are in that report. Default: 10.</summary>
    /// <value>pieces</value>
    public int LowStockBelow { get; init; } = 10;

    /// <summary>The reader of reports, parsed.</summary>
    internal MailboxAddress ReportReader => ReportsTo is null ? Sender : MailboxAddress.Parse(ReportsTo);

    /// <summary>The sender, parsed.</summary>
    internal MailboxAddress Sender => MailboxAddress.Parse(From);

    /// <summary>Who may answer at <see cref="ReceiptsUrl"/>: a server of the mail server's authorities.</summary>
    internal ServerTrust ReceiptsTrust =>
        new("The list of receipts", Smtp.CaFile)
        {
            HostSetting = "Email__ReceiptsUrl",
            CaSetting = "Email__Smtp__CaFile",
            BesidesSystem = true,
            WithoutTls = "Set Email__ReceiptsUrl to the port with TLS.",
        };

    /// <summary>
    /// How long a run owns the sending of its mail: asking for the receipt of an earlier run, sending, and some room.
    /// </summary>
    internal TimeSpan Lease => SendTimeout + Receipts.Timeout + TimeSpan.FromSeconds(2);

    /// <summary>Reads and checks the configuration.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public static EmailOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection("Email");
        var problems = new ConfigurationProblems();
        var smtp = problems.Read(() => SmtpOptions.Read(configuration));
        var receipts = section["ReceiptsUrl"];
        var receiptsOf = section["ReceiptsOf"];
        var knowsTimeout =
            TimeSpan.TryParse(section["SendTimeout"] ?? "00:00:15", out var timeout)
            && timeout >= TimeSpan.FromSeconds(1)
            && timeout <= TimeSpan.FromSeconds(20);
        var reportsTo = section["ReportsTo"];
        var knowsLowStock =
            int.TryParse(section["LowStockBelow"] ?? "10", out var lowStockBelow)
            && lowStockBelow is >= 1 and <= 1_000_000;
        Uri? receiptsUrl = null;
        var knowsReceipts =
            string.IsNullOrEmpty(receipts)
            || (Uri.TryCreate(receipts, UriKind.Absolute, out receiptsUrl) && receiptsUrl.Scheme is "http" or "https");
        problems
            .Require(
                MailboxAddress.TryParse(section["From"] ?? "", out var from)
                    && from.Domain.Length > 0
                    && Ascii.IsValid(from.LocalPart),
                $"Email:From must be a mail address such as 'Orders <orders@example.com>', got '{section["From"]}'; set Email__From"
            )
            .Require(
                string.IsNullOrEmpty(reportsTo)
                    || (MailboxAddress.TryParse(reportsTo, out var reader) && Ascii.IsValid(reader.LocalPart)),
                $"Email:ReportsTo must be a mail address or empty, got '{reportsTo}'; set Email__ReportsTo"
            )
            .Require(
                knowsLowStock,
                $"Email:LowStockBelow must be 1–1000000, got '{section["LowStockBelow"]}'; set Email__LowStockBelow"
            )
            .Require(
                knowsTimeout,
                $"Email:SendTimeout must be 00:00:01–00:00:20, got '{section["SendTimeout"]}'; set Email__SendTimeout"
            )
            .Require(
                knowsReceipts,
                $"Email:ReceiptsUrl must be an absolute http or https address or empty, got '{receipts}'; set Email__ReceiptsUrl"
            )
            .Require(
                receiptsUrl is null
                    || string.Equals(receiptsOf, section["Smtp:Host"], StringComparison.OrdinalIgnoreCase),
                $"Email:ReceiptsOf must be the mail server that mails are sent to (Email:Smtp:Host, '{section["Smtp:Host"]}'), got '{receiptsOf}'. "
                    + "Receipts of another server do not know these mails, and each lost reply would send a mail twice. "
                    + "Remove Email__ReceiptsUrl, or set Email__ReceiptsUrl and Email__ReceiptsOf for this server"
            )
            .ThrowIfAny();

        return new EmailOptions
        {
            Smtp = smtp!.WithEhloName(from!.Domain),
            From = section["From"]!,
            SendTimeout = timeout,
            ReceiptsUrl = receiptsUrl,
            ReceiptsOf = receiptsUrl is null ? null : receiptsOf,
            ReportsTo = string.IsNullOrEmpty(reportsTo) ? null : reportsTo,
            LowStockBelow = lowStockBelow,
        };
    }
}
