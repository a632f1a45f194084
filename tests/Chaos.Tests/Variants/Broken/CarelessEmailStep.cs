using MailKit.Net.Smtp;
using MailKit.Security;
using MassTransit;
using MimeKit;
using MimeKit.Utils;
using Orders.Contracts;
using Orders.Infrastructure.Reading;
using Orders.Workers.Email;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>Sends the mail and hopes: no claim, no Message-ID that anybody could ask for.</summary>
internal sealed class CarelessEmailStep(OrderSnapshotReader orders, EmailOptions options)
    : IConsumer<OrderAccepted>,
        IConsumer<StockRejected>,
        IStep
{
    public static StepPolicy Policy => new("email") { Redelivery = EmailStep.Policy.Redelivery };

    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await SendAsync(
            OrderMail.Confirmation(order, MailboxAddress.Parse(options.From), MimeUtils.GenerateMessageId()),
            context.CancellationToken
        );
    }

    public async Task Consume(ConsumeContext<StockRejected> context)
    {
        (context.Step().Effect.Name, context.Step().Effect.IsSecondary) = ("apology", true);
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await SendAsync(
            OrderMail.Apology(
                order,
                context.Message.Shortages,
                MailboxAddress.Parse(options.From),
                $"apology.{MimeUtils.GenerateMessageId()}"
            ),
            context.CancellationToken
        );
    }

    private async Task SendAsync(MimeMessage mail, CancellationToken cancellationToken)
    {
        using var smtp = new SmtpClient();
        await smtp.ConnectAsync(options.Smtp.Host, options.Smtp.Port, SecureSocketOptions.None, cancellationToken);
        await smtp.SendAsync(mail, cancellationToken);
    }
}
