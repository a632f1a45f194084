using MassTransit;
using Microsoft.EntityFrameworkCore;
using Parcels.Steps;
using QueueWorkers;
using QueueWorkers.Hosting;
using QueueWorkers.Scheduling;

namespace Parcels;

/// <summary>API, relay, steps and schedule in one process.</summary>
public static class ParcelsApplication
{
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.AddQueueWorkers<ParcelsDb>(parcels =>
        {
            parcels.Steps.Add<LabelStep>().Add<HandoverStep>(AddCarrier).Add<NotifyStep>();
            parcels.Schedules.Publish(
                "summary",
                builder.Configuration["Parcels:SummaryAt"] ?? "0 6 * * *",
                Misfire.Once,
                firing => new SummaryDue(firing.Id, firing.DueAt)
            );
        });

        var app = builder.Build();
        app.MapWorkerHost();
        app.MapPost("/parcels", AcceptAsync);
        app.MapGet("/parcels/{id:guid}", FindAsync);
        // Plays the carrier, so that the sample needs no other service.
        app.MapPost("/demo-carrier/parcels/{number}", (string number) => Results.Ok(number));
        return app;
    }

    private static async Task<IResult> AcceptAsync(NewParcel posted, ParcelsDb db, IPublishEndpoint publish)
    {
        var parcel = new Parcel { Recipient = posted.Recipient, Grams = posted.Grams };
        db.Add(parcel);
        // Becomes a row of the same context: parcel and message are committed together, or neither is.
        await publish.Publish(new ParcelAccepted(parcel.Id));
        await db.SaveChangesAsync();
        return Results.Accepted($"/parcels/{parcel.Id}", new { parcel.Id });
    }

    private static async Task<IResult> FindAsync(Guid id, ParcelsDb db) =>
        await db.Parcels.FindAsync(id) is { } parcel
            ? Results.Ok(
                new
                {
                    parcel.Id,
                    parcel.Recipient,
                    parcel.TrackingNumber,
                    Tracking = await db.Tracking.Where(e => e.ParcelId == id).OrderBy(e => e.Id).ToListAsync(),
                }
            )
            : Results.NotFound();

    private static void AddCarrier(IServiceCollection services, IConfiguration configuration) =>
        services.AddHttpClient("carrier", http => http.BaseAddress = new Uri(configuration["Carrier:Url"]!));
}

/// <summary>What is posted.</summary>
public sealed record NewParcel(string Recipient, int Grams);
