using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Inventory;
using Orders.Infrastructure.Reading;
using Orders.Workers.Email.Smtp;
using QueueWorkers.Clocks;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;

namespace Orders.Workers.Email;

/// <summary>
/// Mails the customer: that the order has arrived; if it cannot be filled, that we are sorry; if it was cancelled, that
/// this is done. And the shop: what runs out.
/// </summary>
public sealed class EmailStep(
    OrderSnapshotReader orders,
    LowStockReader stock,
    AtMostOnceMailSender mail,
    EmailOptions options
) : IConsumer<OrderAccepted>, IConsumer<StockRejected>, IConsumer<OrderCancelled>, IConsumer<LowStockReportDue>, IStep
{
    private static readonly TimeSpan BehindTheConfirmation = TimeSpan.FromSeconds(1);

    // Who cancelled hears of it, even if what became of the confirmation is never known.
    private static readonly TimeSpan LongestBehind = TimeSpan.FromMinutes(10);

    /// <inheritdoc />
    public static StepPolicy Policy =>
        new("email")
        {
            Redelivery = Redelivery.After(
                TimeSpan.FromSeconds(2),
                TimeSpan.FromSeconds(10),
                TimeSpan.FromSeconds(30),
                TimeSpan.FromMinutes(2),
                TimeSpan.FromMinutes(10),
                TimeSpan.FromHours(1)
            ),
            Concurrency = SmtpPool.Size,
            // Refusals of one mail (5xx) are not among its faults: they say that the server is there. Those of one
            // recipient for now (RecipientDeferredException) say nothing about it.
            DependsOn = new Dependency("smtp", typeof(MailNotSentException), typeof(MailOutcomeUnknownException))
            {
                Outages = [typeof(MailServerRefusedException)],
            },
            Compensations = [typeof(OrderCancelled)],
            Grants = [OrderSnapshotReader.Grants, LowStockReader.Grants],
        };

    /// <summary>The confirmation.</summary>
    public async Task Consume(ConsumeContext<OrderAccepted> context)
    {
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        context.Step().StopIf(order.IsCancelled);
        await mail.SendAsync(
            context.Step(),
            (from, id) => OrderMail.Confirmation(order, from, id),
            context.CancellationToken
        );
    }

    /// <summary>The apology: an effect of its own, which the order's progress does not wait for.</summary>
    public async Task Consume(ConsumeContext<StockRejected> context)
    {
        var step = context.Step();
        step.Effect.Name = OrderEffects.Apology;
        step.Effect.IsSecondary = true;
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await mail.SendAsync(
            step,
            (from, id) => OrderMail.Apology(order, context.Message.Shortages, from, id),
            context.CancellationToken
        );
    }

    /// <summary>
    /// A mail cannot be taken back, so another one says that the order was cancelled: always, because who ordered wants
    /// to know, and after a confirmation that is on its way.
    /// </summary>
    public async Task Consume(ConsumeContext<OrderCancelled> context)
    {
        var step = context.Step();
        if (
            (await step.Effect.StateAsync(context.CancellationToken)).WaitForEnd(
                BehindTheConfirmation,
                LongestBehind
            ) is
            { } wait
        )
            throw new EffectInProgressException("email", step.SubjectId, DatabaseClock.UtcNow + wait);
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await mail.SendAsync(step, (from, id) => OrderMail.Cancellation(order, from, id), context.CancellationToken);
    }

    /// <summary>
    /// The report on articles that run out. Its subject is the firing of the schedule, so it belongs to no order and is
    /// mailed once for each firing.
    /// </summary>
    public async Task Consume(ConsumeContext<LowStockReportDue> context)
    {
        var step = context.Step();
        step.Effect.Name = "low-stock-report";
        step.Effect.IsSecondary = true;
        var asked = new LowStockQuestion(
            context.Message.DueAt,
            context.Message.Below ?? options.LowStockBelow,
            context.Message.Articles ?? ""
        );
        var low = await stock.ReadAsync(asked.Below, asked.Articles, context.CancellationToken);
        await mail.SendAsync(
            step,
            (from, id) => LowStockMail.Write(low, asked, options.ReportReader, from, id),
            context.CancellationToken
        );
    }
}
