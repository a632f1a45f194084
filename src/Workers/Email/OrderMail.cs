using System.Globalization;
using System.Net;
using System.Text;
using MimeKit;
using MimeKit.Text;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using QueueWorkers.Clocks;
using QueueWorkers.Steps;

namespace Orders.Workers.Email;

/// <summary>
/// Writes the mails. Whatever a customer typed stays text: encoded in HTML, and in headers by MimeKit, which lets no
/// line break through.
/// </summary>
public static class OrderMail
{
    private static readonly IFormatProvider Plain = CultureInfo.InvariantCulture;

    /// <summary>The order has arrived.</summary>
    public static MimeMessage Confirmation(OrderSnapshot order, MailboxAddress from, string messageId)
    {
        var (locale, words) = LanguageOf(order);
        return Write(
            order,
            from,
            messageId,
            words.Confirmation,
            Lines(order, locale),
            locale.Money(order.Total, order.Currency)
        );
    }

    /// <summary>The order cannot be filled.</summary>
    public static MimeMessage Apology(
        OrderSnapshot order,
        IReadOnlyList<StockShortage> shortages,
        MailboxAddress from,
        string messageId
    )
    {
        var (locale, words) = LanguageOf(order);
        var names = order.Lines.ToDictionary(l => l.Sku, l => l.Name, StringComparer.Ordinal);
        var lines = shortages.Select(s =>
            (
                names.GetValueOrDefault(s.Sku, s.Sku),
                $"{locale.Number(s.Requested)} × {s.Sku}",
                words.InStock(locale.Number(s.Available))
            )
        );
        return Write(order, from, messageId, words.Apology, lines, null);
    }

    /// <summary>The order was cancelled.</summary>
    public static MimeMessage Cancellation(OrderSnapshot order, MailboxAddress from, string messageId)
    {
        var (locale, words) = LanguageOf(order);
        return Write(order, from, messageId, words.Cancellation, Lines(order, locale), null);
    }

    private static (CustomerLocale Locale, MailWords Words) LanguageOf(OrderSnapshot order)
    {
        var locale = CustomerLocale.Of(order.Locale);
        return (locale, MailWords.Of(locale.Language));
    }

    private static IEnumerable<(string Name, string What, string Amount)> Lines(
        OrderSnapshot order,
        CustomerLocale locale
    ) =>
        order.Lines.Select(l =>
            (l.Name, $"{locale.Number(l.Quantity)} × {l.Sku}", locale.Money(l.Total, order.Currency))
        );

    private static MimeMessage Write(
        OrderSnapshot order,
        MailboxAddress from,
        string messageId,
        MailWords.Sentences sentences,
        IEnumerable<(string Name, string What, string Amount)> lines,
        string? total
    )
    {
        var (locale, words) = LanguageOf(order);
        var number = OrderNumber.Format(order.Number);
        var (dear, opening) = (words.Dear(order.CustomerName), sentences.Opening(number));
        var text = new StringBuilder().Append(Plain, $"{dear}\n\n{opening}\n\n");
        var html = new StringBuilder().Append(
            Plain,
            $"<!doctype html><html lang=\"{locale.Name}\"><body><p>{Html(dear)}</p><p>{Html(opening)}</p><table cellpadding=\"4\">"
        );
        foreach (var (name, what, amount) in lines)
        {
            text.Append(Plain, $"{name} ({what}): {amount}\n");
            html.Append(
                Plain,
                $"<tr><td>{Html(name)}</td><td>{Html(what)}</td><td align=\"right\">{Html(amount)}</td></tr>"
            );
        }

        if (total is not null)
        {
            text.Append(Plain, $"\n{words.Total}: {total}\n");
            html.Append(
                Plain,
                $"<tr><td><b>{words.Total}</b></td><td></td><td align=\"right\"><b>{Html(total)}</b></td></tr>"
            );
        }

        return new MimeMessage
        {
            MessageId = messageId,
            From = { from },
            To = { To(order) },
            Subject = sentences.Subject(number),
            Date = DatabaseClock.UtcNow,
            Headers = { { HeaderId.AutoSubmitted, "auto-generated" } },
            Body = new MultipartAlternative(
                new TextPart(TextFormat.Plain) { Text = text.ToString() },
                new TextPart(TextFormat.Html) { Text = html.Append("</table></body></html>").ToString() }
            )
            {
                Headers = { { HeaderId.ContentLanguage, locale.Name } },
            },
        };
    }

    private static MailboxAddress To(OrderSnapshot order)
    {
        try
        {
            return new MailboxAddress(Encoding.UTF8, order.CustomerName, order.CustomerEmail);
        }
        catch (ParseException exception)
        {
            throw new PermanentFaultException(
                $"Expected one mail address for order {order.OrderId}, found text that is none. Correct orders.customer_email, then redrive.",
                exception
            );
        }
    }

    private static string Html(string text) => WebUtility.HtmlEncode(text);
}
