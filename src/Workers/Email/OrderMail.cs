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
        var number = OrderNumber.Format(order.Number);
        var total = Money.Format(order.Total, order.Currency);
        var lines = order.Lines.Select(l => (l.Name, $"{l.Quantity} × {l.Sku}", Money.Format(l.Total, order.Currency)));
        return Write(
            order,
            from,
            messageId,
            $"Your order {number}",
            $"thank you for your order {number}. We have received it and are getting it ready.",
            lines,
            total
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
        var number = OrderNumber.Format(order.Number);
        var names = order.Lines.ToDictionary(l => l.Sku, l => l.Name, StringComparer.Ordinal);
        var lines = shortages.Select(s =>
            (names.GetValueOrDefault(s.Sku, s.Sku), $"{s.Requested} × {s.Sku}", $"{s.Available} in stock")
        );
        return Write(
            order,
            from,
            messageId,
            $"Your order {number} cannot be filled",
            $"we are sorry: we cannot fill your order {number}, because these articles are not in stock as ordered. Nothing will be charged or sent.",
            lines,
            null
        );
    }

    /// <summary>The order was cancelled.</summary>
    public static MimeMessage Cancellation(OrderSnapshot order, MailboxAddress from, string messageId)
    {
        var number = OrderNumber.Format(order.Number);
        var lines = order.Lines.Select(l => (l.Name, $"{l.Quantity} × {l.Sku}", Money.Format(l.Total, order.Currency)));
        return Write(
            order,
            from,
            messageId,
            $"Your order {number} is cancelled",
            $"your order {number} has been cancelled. Nothing will be sent, and an invoice that you may have received is taken back. These articles were in it:",
            lines,
            null
        );
    }

    private static MimeMessage Write(
        OrderSnapshot order,
        MailboxAddress from,
        string messageId,
        string subject,
        string opening,
        IEnumerable<(string Name, string What, string Amount)> lines,
        string? total
    )
    {
        var text = new StringBuilder().Append(Plain, $"Dear {order.CustomerName},\n\n{opening}\n\n");
        var html = new StringBuilder().Append(
            Plain,
            $"<!doctype html><html><body><p>Dear {Html(order.CustomerName)},</p><p>{Html(opening)}</p><table cellpadding=\"4\">"
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
            text.Append(Plain, $"\nTotal: {total}\n");
            html.Append(Plain, $"<tr><td><b>Total</b></td><td></td><td align=\"right\"><b>{Html(total)}</b></td></tr>");
        }

        return new MimeMessage
        {
            MessageId = messageId,
            From = { from },
            To = { To(order) },
            Subject = subject,
            Date = DatabaseClock.UtcNow,
            Headers = { { HeaderId.AutoSubmitted, "auto-generated" } },
            Body = new MultipartAlternative(
                new TextPart(TextFormat.Plain) { Text = text.ToString() },
                new TextPart(TextFormat.Html) { Text = html.Append("</table></body></html>").ToString() }
            ),
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
