using BenchmarkDotNet.Attributes;
using Orders.Contracts;
using QueueWorkers.Outbox;

namespace Orders.Bench.Micro;

/// <summary>
/// What an outgoing message costs before it touches anything: the envelope alone, and the whole outbox row.
/// </summary>
public class EnvelopeBenchmarks
{
    private readonly OrderAccepted _message = new(Guid.CreateVersion7(), false, DateTimeOffset.UtcNow);
    private readonly Guid _id = Guid.CreateVersion7();

    [Benchmark]
    public byte[] Envelope_alone() => Envelope.Write(_message, _id, _message.OrderId, _id, null, DateTimeOffset.UtcNow);

    [Benchmark]
    public OutboxMessage Outbox_row() => OutgoingMessage.Create(_message, _message.OrderId);
}
