using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Watching;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}/events</c>: server-sent events (HTML standard, section 9.2). First where everything stands, then
/// one event per change; the stream ends with the order, or when the host stops. A client that comes back gets the
/// present state again, so nothing depends on a stream living long.
/// </summary>
internal sealed class GetOrderEvents(
    OrderChangesReader reader,
    OrderWatch watch,
    IHostApplicationLifetime host,
    TimeProvider time
)
{
    // Below the idle timeout of the usual proxies.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public async Task HandleAsync(HttpContext context, Guid id)
    {
        if (!await reader.ExistsAsync(id, Caller.Of(context).ClientId, context.RequestAborted))
        {
            await GetOrder.NotFound.AnswerAsync(context);
            return;
        }

        using var watching = watch.TryBegin(id);
        if (watching is null)
        {
            await new Problem(
                ProblemKinds.TooManyWatchers,
                "Ask GET /orders/{id} now and then instead, or try again later.",
                RetryAfter: TimeSpan.FromSeconds(5)
            ).AnswerAsync(context);
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        // Without the host's own end a shutdown would wait for the slowest order.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(
            context.RequestAborted,
            host.ApplicationStopping
        );
        try
        {
            await StreamAsync(context.Response.BodyWriter, watching, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went, or the host does: both end the stream in good order.
        }
    }

    private async Task StreamAsync(PipeWriter stream, Watch watching, CancellationToken ending)
    {
        await stream.FlushAsync(ending);
        OrderState? before = null;
        while (before is null || !Changes.IsEnd(before.Status))
        {
            if (await NextAsync(watching, ending) is not { } now)
            {
                stream.Write(": still here\n\n"u8);
            }
            else
            {
                var (steps, order) = Changes.Between(before, now, time.GetUtcNow());
                foreach (var step in steps)
                    Write(stream, "event: step\ndata: "u8, step, ApiJson.Default.StepEvent);
                if (order is not null)
                    Write(stream, "event: order\ndata: "u8, order, ApiJson.Default.OrderEvent);
                before = now;
            }

            if ((await stream.FlushAsync(ending)).IsCompleted)
                return;
        }
    }

    /// <summary>The next state; null when it is time for a sign of life.</summary>
    private static async Task<OrderState?> NextAsync(Watch watching, CancellationToken ending)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ending);
        patience.CancelAfter(Heartbeat);
        try
        {
            return await watching.States.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            return null;
        }
    }

    private static void Write<T>(PipeWriter stream, ReadOnlySpan<byte> head, T data, JsonTypeInfo<T> type)
    {
        stream.Write(head);
        stream.Write(JsonSerializer.SerializeToUtf8Bytes(data, type));
        stream.Write("\n\n"u8);
    }
}
