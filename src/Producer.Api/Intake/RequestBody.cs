using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// A request's body, whole, read once and where possible not copied. Dispose it when the bytes are no longer needed.
/// </summary>
internal readonly struct RequestBody : IDisposable
{
    private readonly PipeReader? _pipe;
    private readonly SequencePosition _end;
    private readonly byte[]? _rented;

    private RequestBody(PipeReader pipe, ReadOnlySequence<byte> bytes)
    {
        (_pipe, _end) = (pipe, bytes.End);
        if (bytes.IsSingleSegment)
        {
            Bytes = bytes.First;
            return;
        }

        var length = (int)bytes.Length;
        _rented = ArrayPool<byte>.Shared.Rent(length);
        bytes.CopyTo(_rented);
        Bytes = _rented.AsMemory(0, length);
    }

    private RequestBody(Problem problem) => Problem = problem;

    /// <summary>The body; empty when there is a problem.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Why it could not be read; null when it was.</summary>
    public Problem? Problem { get; }

    /// <summary>Reads the body to its end, or to the limit.</summary>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context, int largest)
    {
        // The limit is kept here, to the byte; the server's own counts the framing of chunks as well and would cut the
        // connection before the answer is read.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        if (context.Request.ContentLength > largest)
            return TooLarge(largest);

        var pipe = context.Request.BodyReader;
        if (pipe.TryRead(out var first))
        {
            // The usual case: the body came with the headers, and there is nothing to wait for and to time.
            if (IsEnough(first, largest))
                return Of(pipe, first, largest);
            pipe.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        }

        await using var slow = new Timer(
            static pipe => ((PipeReader)pipe!).CancelPendingRead(),
            pipe,
            ConnectionLimits.Arrival,
            Timeout.InfiniteTimeSpan
        );
        while (true)
        {
            var read = await pipe.ReadAsync(context.RequestAborted);
            if (IsEnough(read, largest))
                return Of(pipe, read, largest);
            pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_rented is not null)
            ArrayPool<byte>.Shared.Return(_rented);
        _pipe?.AdvanceTo(_end);
    }

    private static bool IsEnough(ReadResult read, int largest) =>
        read.IsCompleted || read.IsCanceled || read.Buffer.Length > largest;

    private static RequestBody Of(PipeReader pipe, ReadResult read, int largest)
    {
        if (read.Buffer.Length <= largest && read.IsCompleted)
            return new RequestBody(pipe, read.Buffer);

        pipe.AdvanceTo(read.Buffer.End);
        return read.IsCanceled
            ? new RequestBody(
                new Problem(
                    ProblemKinds.TooSlow,
                    FormattableString.Invariant(
                        $"A body must arrive within {ConnectionLimits.Arrival.TotalSeconds:0} seconds."
                    )
                )
            )
            : TooLarge(largest);
    }

    private static RequestBody TooLarge(int largest) =>
        new(
            new Problem(
                ProblemKinds.BodyTooLarge,
                FormattableString.Invariant($"A body must have at most {largest} bytes.")
            )
        );
}
