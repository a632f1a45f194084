using System.Collections.Concurrent;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Limits;

/// <summary>
/// What each client has open at once: requests, bytes of bodies that are held in memory, and event streams. The rate
/// limit bounds how often a client comes, this how much it holds, so that one client cannot take it all. It counts in
/// this process only.
/// </summary>
internal sealed class ClientLoad(ClientLoadOptions options)
{
    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(5);

    // As many as there are clients: only a valid key gets here.
    private readonly ConcurrentDictionary<string, Open> _open = new();

    /// <summary>Takes what a request needs. Give it back with <see cref="LeaveRequest"/>.</summary>
    /// <param name="caller">The client.</param>
    /// <param name="bytes">Bytes of its body; the most that it may have when the client does not say.</param>
    /// <returns>The refusal when the client has too much open; null when the request may go on.</returns>
    public Problem? TryEnterRequest(Caller caller, long bytes)
    {
        var open = OpenOf(caller);
        if (Interlocked.Increment(ref open.Requests) > options.Requests)
        {
            Interlocked.Decrement(ref open.Requests);
            return Refuse($"A client may have {options.Requests} requests at once.", Shortly);
        }

        // One body alone is always taken: the largest is smaller than the least that can be set.
        if (bytes > 0 && Interlocked.Add(ref open.Bytes, bytes) > options.Bytes)
        {
            Interlocked.Add(ref open.Bytes, -bytes);
            Interlocked.Decrement(ref open.Requests);
            return Refuse($"The bodies of a client's requests may have {options.Bytes} bytes at once.", Shortly);
        }

        return null;
    }

    /// <summary>Gives back what a request took.</summary>
    public void LeaveRequest(Caller caller, long bytes)
    {
        var open = OpenOf(caller);
        Interlocked.Decrement(ref open.Requests);
        if (bytes > 0)
            Interlocked.Add(ref open.Bytes, -bytes);
    }

    /// <summary>Takes a place for an event stream. Give it back with <see cref="LeaveStream"/>.</summary>
    /// <returns>The refusal when the client has too many; null when the stream may go on.</returns>
    public Problem? TryEnterStream(Caller caller)
    {
        var open = OpenOf(caller);
        if (Interlocked.Increment(ref open.Streams) <= options.Streams)
            return null;
        Interlocked.Decrement(ref open.Streams);
        return Refuse(
            $"A client may have {options.Streams} event streams at once. Ask GET /orders/{{id}} now and then instead, or register a web hook.",
            Later
        );
    }

    /// <summary>Gives back the place of an event stream.</summary>
    public void LeaveStream(Caller caller) => Interlocked.Decrement(ref OpenOf(caller).Streams);

    private Open OpenOf(Caller caller) =>
        _open.TryGetValue(caller.ClientId, out var open) ? open : _open.GetOrAdd(caller.ClientId, _ => new Open());

    private static Problem Refuse(string detail, TimeSpan retryAfter) =>
        new(ProblemKinds.TooMuchAtOnce, detail, RetryAfter: retryAfter);

    private sealed class Open
    {
        public int Requests;
        public long Bytes;
        public int Streams;
    }
}

/// <summary>Counts each request whose caller is known, while it runs.</summary>
internal sealed class ClientLoadLimiting(RequestDelegate next, ClientLoad load)
{
    public Task InvokeAsync(HttpContext context) =>
        context.Features.Get<Caller>() is { } caller
        && context.GetEndpoint()?.Metadata is { } metadata
        && metadata.GetMetadata<EventStream>() is null
            ? CountAsync(context, caller, BytesOf(context.Request, metadata.GetMetadata<LargestBody>()))
            : next(context);

    private async Task CountAsync(HttpContext context, Caller caller, long bytes)
    {
        if (load.TryEnterRequest(caller, bytes) is { } refusal)
        {
            await refusal.AnswerAsync(context);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            load.LeaveRequest(caller, bytes);
        }
    }

    // A body that is too large is refused unread, one without a length may have all that is allowed.
    private static long BytesOf(HttpRequest request, LargestBody? largest) =>
        largest is null || request.ContentLength > largest.Bytes ? 0 : request.ContentLength ?? largest.Bytes;
}

/// <summary>Marks an endpoint that reads a body into memory.</summary>
/// <param name="Bytes">The largest body that it takes.</param>
internal sealed record LargestBody(int Bytes);

/// <summary>Marks an endpoint that answers for as long as its client likes; it counts its streams itself.</summary>
internal sealed record EventStream;
