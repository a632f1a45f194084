using MassTransit;
using Microsoft.EntityFrameworkCore;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Writing;

namespace Parcels.Steps;

/// <summary>Tells the recipient that a parcel is on its way, and sums the parcels up when the schedule says so.</summary>
public sealed class NotifyStep(ILogger<NotifyStep> log) : IConsumer<ParcelHandedOver>, IConsumer<SummaryDue>, IStep
{
    public static StepPolicy Policy =>
        new("notify")
        {
            Grants = ["select on \"Parcels\"", "select, insert on \"Tracking\"", "insert on \"Summaries\""],
        };

    public Task Consume(ConsumeContext<ParcelHandedOver> context)
    {
        var (id, number) = context.Message;
        log.LogInformation("Parcel {TrackingNumber} is on its way", number);
        context.Step().Write = new ContextWrite<ParcelsDb>(db =>
            db.Add(new TrackingEvent { ParcelId = id, What = "notified" })
        );
        return Task.CompletedTask;
    }

    public Task Consume(ConsumeContext<SummaryDue> context)
    {
        var (id, at) = context.Message;
        context.Step().Write = new ContextWrite<ParcelsDb>(async db =>
            db.Add(
                new Summary
                {
                    Id = id,
                    At = at,
                    Parcels = await db.Parcels.CountAsync(),
                }
            )
        );
        return Task.CompletedTask;
    }
}
