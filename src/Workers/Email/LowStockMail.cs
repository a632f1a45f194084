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
    /// <param name="asked">What the report is about.</param>
    /// <param name="to">Who gets it.</param>
    /// <param name="from">The sender.</param>
    /// <param name="messageId">The mail's id.</param>
    public static MimeMessage Write(
        IReadOnlyList<LowStock> low,
        LowStockQuestion asked,
        MailboxAddress to,
        MailboxAddress from,
        string messageId
    )
    {
        var text = new StringBuilder().Append(
            Plain,
            $"Stock report of {asked.DueAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC\n\n"
        );
        var articles = asked.Articles == "" ? "" : $" of {asked.Articles}";
        if (low.Count == 0)
            text.Append(Plain, $"No article{articles} has fewer than {asked.Below} pieces on hand.\n");
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
                    : string.Create(
                        Plain,
                        $"Stock report: {low.Count} article(s){articles} below {asked.Below} pieces"
                    ),
            Date = DatabaseClock.UtcNow,
            Headers = { { HeaderId.AutoSubmitted, "auto-generated" } },
            Body = new TextPart(TextFormat.Plain) { Text = text.ToString() },
        };
    }
}

/// <summary>What a report is about.</summary>
/// <param name="DueAt">The moment it was due.</param>
/// <param name="Below">The number of pieces below which an article is listed.</param>
/// <param name="Articles">Only articles whose number begins so; empty for all.</param>
public sealed record LowStockQuestion(DateTimeOffset DueAt, int Below, string Articles);
