using System.Globalization;
using System.Text;
using MimeKit;
using MimeKit.Text;
using Orders.Infrastructure.Inventory;
using QueueWorkers.Clocks;

namespace Orders.Workers.Email;

/// <summary>Writes the report on articles that run out.</summary>
public static class LowStockMail
{
    private static readonly IFormatProvider Plain = CultureInfo.InvariantCulture;

    /// <summary>The report.</summary>
    /// <param name="low">The articles, the scarcest first.</param>
    /// <param name="below">The number of pieces below which an article is listed.</param>
    /// <param name="dueAt">The moment the report was due.</param>
    /// <param name="to">Who gets it.</param>
    /// <param name="from">The sender.</param>
    /// <param name="messageId">The mail's id.</param>
    public static MimeMessage Write(
        IReadOnlyList<LowStock> low,
        int below,
        DateTimeOffset dueAt,
        MailboxAddress to,
        MailboxAddress from,
        string messageId
    )
    {
        var text = new StringBuilder().Append(Plain, $"Stock report of {dueAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC\n\n");
        if (low.Count == 0)
            text.Append(Plain, $"No article has fewer than {below} pieces on hand.\n");
        foreach (var article in low)
            text.Append(Plain, $"{article.OnHand, 6}  {article.Sku, -32}  {article.Name}\n");

        return new MimeMessage
        {
            MessageId = messageId,
            From = { from },
            To = { to },
            Subject =
                low.Count == 0
                    ? "Stock report: nothing runs out"
                    : string.Create(Plain, $"Stock report: {low.Count} article(s) below {below} pieces"),
            Date = DatabaseClock.UtcNow,
            Headers = { { HeaderId.AutoSubmitted, "auto-generated" } },
            Body = new TextPart(TextFormat.Plain) { Text = text.ToString() },
        };
    }
}
