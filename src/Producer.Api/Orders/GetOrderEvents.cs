using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;
using Orders.Producer.Api.Watching;
using QueueWorkers.GroupCommit;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}/events</c>: server-sent events (HTML standard, section 9.2). First where everything stands, then
/// one event per change; the stream ends with the order, or when the host stops. A client that comes back gets the
/// present state again, so nothing depends on a stream living long. It ends when its key does: no change is told to a key
/// that may not read any more.
/// </summary>
internal sealed class GetOrderEvents(
    OrderChangesReader reader,
    OrderWatch watch,
    ClientLoad load,
    ApiKeyCache keys,
    IHostApplicationLifetime host,
    TimeProvider time
)
{
    // Below the idle timeout of the usual proxies.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    // As often as the key is asked for, so that a revoked one is dead here, too, within seconds.
    private static readonly TimeSpan Check = TimeSpan.FromSeconds(3);

    public async Task HandleAsync(HttpContext context, Guid id)
    {
        var caller = Caller.Of(context);
        if (load.TryEnterStream(caller) is { } refusal)
        {
            await refusal.AnswerAsync(context);
            return;
        }

        try
        {
            if (await reader.ExistsAsync(id, caller.ClientId, context.RequestAborted))
                await WatchAsync(context, id);
            else
                await GetOrder.NotFound.AnswerAsync(context);
        }
        finally
        {
            load.LeaveStream(caller);
        }
    }

    private async Task WatchAsync(HttpContext context, Guid id)
    {
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
            await StreamAsync(context, watching, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went, or the host does: both end the stream in good order.
        }
    }

    private async Task StreamAsync(HttpContext context, Watch watching, CancellationToken ending)
    {
        var stream = context.Response.BodyWriter;
        await stream.FlushAsync(ending);
        OrderState? before = null;
        OrderState? now = null;
        var spokeAt = time.GetTimestamp();
        while (before is null || !Changes.IsEnd(before.Status))
        {
            now = await NextAsync(watching, ending) ?? now;
            var key = await AskForKeyAsync(context, ending);
            if (key is KeyState.Ended)
                return;
            if (now is not null && key is KeyState.Valid)
            {
                var (steps, order) = Changes.Between(before, now, time.GetUtcNow());
                foreach (var step in steps)
                    Write(stream, "event: step\ndata: "u8, step, ApiJson.Default.StepEvent);
                if (order is not null)
                    Write(stream, "event: order\ndata: "u8, order, ApiJson.Default.OrderEvent);
                (before, now) = (now, null);
            }
            else if (time.GetElapsedTime(spokeAt) >= Heartbeat)
            {
                stream.Write(": still here\n\n"u8);
            }
            else
            {
                continue;
            }

            spokeAt = time.GetTimestamp();
            if ((await stream.FlushAsync(ending)).IsCompleted)
                return;
        }
    }

    /// <summary>The next state; null when it is time to look at the key.</summary>
    private static async Task<OrderState?> NextAsync(Watch watching, CancellationToken ending)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ending);
        patience.CancelAfter(Check);
        try
        {
            return await watching.States.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<KeyState> AskForKeyAsync(HttpContext context, CancellationToken ending)
    {
        try
        {
            var known = await keys.FindAsync(ApiKeyAuthentication.KeyIn(context.Request)).AsTask().WaitAsync(ending);
            return
                known is not null && known.ClientId == Caller.Of(context).ClientId && known.Scopes.HasFlag(Scopes.Read)
                ? KeyState.Valid
                : KeyState.Ended;
        }
        catch (Exception away) when (away is KeysBusyException || DatabaseFault.MayPass(away))
        {
            // Without the database there is no news either; what was read before it went waits.
            return KeyState.Unknown;
        }
    }

    private static void Write<T>(PipeWriter stream, ReadOnlySpan<byte> head, T data, JsonTypeInfo<T> type)
    {
        stream.Write(head);
        stream.Write(JsonSerializer.SerializeToUtf8Bytes(data, type));
        stream.Write("\n\n"u8);
    }

    private enum KeyState
    {
        Valid,
        Ended,
        Unknown,
    }
}
