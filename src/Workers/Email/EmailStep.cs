using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Orders.Inventory;
using Orders.Infrastructure.Orders.Reading;
using Orders.Infrastructure.Steps;

namespace Orders.Workers.Email;

/// <summary>Mails the customer: that the order has arrived; if it cannot be filled, that we are sorry; if it was cancelled, that this is done. And the shop: what runs out.</summary>
public sealed class EmailStep(OrderDetailsReader orders, LowStockReader stock, MailOnce mail, EmailOptions options)
    : IConsumer<OrderAccepted>, IConsumer<StockRejected>, IConsumer<OrderCancelled>, IConsumer<LowStockReportDue>, IStep
{
    private static readonly TimeSpan BehindTheConfirmation = TimeSpan.FromSeconds(1);

    // Who cancelled hears of it, even if what became of the confirmation is never known.
    private static readonly TimeSpan LongestBehind = TimeSpan.FromMinutes(10);

    /// <inheritdoc />
    public static StepPolicy Policy => new("email")
    {
        Redelivery = Redelivery.After(
            TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1)),
        Concurrency = SmtpPool.Size,
        // Refusals of one mail (5xx) are not among its faults: they say that the server is there.
        DependsOn = new Dependency("smtp", typeof(MailNotSentException), typeof(MailOutcomeUnknownException))
        {
            Outages = [typeof(MailServerRefusedException)],
            Inconclusive = [typeof(RecipientDeferredException)],
        },
        Compensations = [typeof(OrderCancelled)],
        Grants = [OrderDetailsReader.Grants, LowStockReader.Grants],
    };

    /// <summary>The confirmation.</summary>
    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        context.Step().StopIf(order.IsCancelled);
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

    /// <summary>
    /// A mail cannot be taken back, so another one says that the order was cancelled: always, because who ordered wants to know, and after a confirmation that is on its way.
    /// </summary>
    public async Task Consume(ConsumeContext<OrderCancelled> context)
    {
        var run = context.Step();
        if ((await run.PastAsync(context.CancellationToken)).WaitForEnd(BehindTheConfirmation, LongestBehind) is { } wait)
            throw new EffectInProgressException("email", run.SubjectId, DateTimeOffset.UtcNow + wait);
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await mail.SendAsync(run, (from, id) => OrderMail.Cancellation(order, from, id), context.CancellationToken);
    }

    /// <summary>The report on articles that run out. Its subject is the firing of the schedule, so it belongs to no order and is mailed once for each firing.</summary>
    public async Task Consume(ConsumeContext<LowStockReportDue> context)
    {
        var run = context.Step();
        run.Effect = "low-stock-report";
        run.CountsAsStep = false;
        var low = await stock.ReadAsync(options.LowStockBelow, context.CancellationToken);
        await mail.SendAsync(run, (from, id) => LowStockMail.Write(low, options.LowStockBelow, context.Message.DueAt, options.ReportReader, from, id), context.CancellationToken);
    }
}
