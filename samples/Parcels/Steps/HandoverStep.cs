using MassTransit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Writing;

namespace Parcels.Steps;

/// <summary>Hands a parcel to the carrier, an HTTP service.</summary>
public sealed class HandoverStep(IHttpClientFactory http) : IConsumer<ParcelLabelled>, IStep
{
    // While nobody answers, messages wait and no attempt is counted. The carrier takes 50 calls a second.
    public static StepPolicy Policy =>
        new("handover")
        {
            Timeout = TimeSpan.FromSeconds(10),
            DependsOn = new Dependency("carrier") { Outages = [typeof(HttpRequestException)] },
            Rates = [RateLimit.PerSecond(50)],
            Grants = ["select, insert on \"Tracking\""],
        };

    public async Task Consume(ConsumeContext<ParcelLabelled> context)
    {
        var (id, number) = context.Message;
        using var carrier = http.CreateClient("carrier");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"parcels/{number}");
        // A worker that dies between this call and the commit calls again: the carrier drops what it has by the key.
        request.Headers.Add("Idempotency-Key", $"{context.Step().MessageId}");
        using var response = await carrier.SendAsync(request, context.CancellationToken);
        if ((int)response.StatusCode is >= 400 and < 500)
            throw new PermanentFaultException($"The carrier refused parcel {number}: {(int)response.StatusCode}.");
        response.EnsureSuccessStatusCode();

        context.Step().Write = new ContextWrite<ParcelsDb>(db =>
            db.Add(new TrackingEvent { ParcelId = id, What = "handed over" })
        );
        context.Step().Publish(new ParcelHandedOver(id, number));
    }
}
