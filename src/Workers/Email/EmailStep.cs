using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Orders.Reading;
using Orders.Infrastructure.Steps;

namespace Orders.Workers.Email;

/// <summary>Mails the customer: that the order has arrived, and if it cannot be filled, that we are sorry.</summary>
public sealed class EmailStep(OrderDetailsReader orders, MailOnce mail) : IConsumer<OrderAccepted>, IConsumer<StockRejected>, IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy => new("email")
    {
        Redelivery = Redelivery.After(
            TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1)),
        Concurrency = SmtpPool.Size,
        Grants = [OrderDetailsReader.Grants],
    };

    /// <summary>The confirmation.</summary>
    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await mail.SendAsync(context.Step(), (from, id) => OrderMail.Confirmation(order, from, id), context.CancellationToken);
    }

    /// <summary>The apology: an effect of its own, which the order's progress does not wait for.</summary>
    public async Task Consume(ConsumeContext<StockRejected> context)
    {
        var run = context.Step();
        run.Effect = "apology";
        run.CountsAsStep = false;
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await mail.SendAsync(run, (from, id) => OrderMail.Apology(order, context.Message.Shortages, from, id), context.CancellationToken);
    }
}
