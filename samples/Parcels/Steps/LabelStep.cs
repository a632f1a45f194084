using MassTransit;
using Microsoft.EntityFrameworkCore;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Writing;

namespace Parcels.Steps;

/// <summary>Gives a parcel its tracking number.</summary>
public sealed class LabelStep : IConsumer<ParcelAccepted>, IStep
{
    // The rights are for a process with a database role of its own.
    public static StepPolicy Policy =>
        new("label") { Concurrency = 20, Grants = ["select, update on \"Parcels\"", "select, insert on \"Tracking\""] };

    public Task Consume(ConsumeContext<ParcelAccepted> context)
    {
        var id = context.Message.ParcelId;
        var number = $"P{id:N}"[..13].ToUpperInvariant();

        // Rows and message are committed together, once for each parcel, when Consume has returned.
        context.Step().Write = new ContextWrite<ParcelsDb>(async db =>
        {
            var parcel = await db.Parcels.SingleAsync(p => p.Id == id);
            parcel.TrackingNumber = number;
            db.Add(new TrackingEvent { ParcelId = id, What = "labelled" });
        });
        context.Step().Publish(new ParcelLabelled(id, number));
        return Task.CompletedTask;
    }
}
