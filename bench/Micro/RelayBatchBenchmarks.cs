using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using Orders.Contracts;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace Orders.Bench.Micro;

/// <summary>A batch to a quorum queue, published and confirmed. Divide by the messages.</summary>
public class RelayBatchBenchmarks
{
    private readonly OutboxMessage[] _messages =
    [
        .. Enumerable
            .Range(0, 500)
            .Select(_ =>
                OutgoingMessage.Create(new OrderAccepted(Guid.NewGuid(), false, DateTimeOffset.UtcNow), Guid.NewGuid())
            ),
    ];

    private BrokerConnection _broker = null!;
    private RelayPublisher _publisher = null!;

    [Params(1, 500)]
    public int Messages { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _broker = new BrokerConnection(Place.Present.Broker, NullLogger<BrokerConnection>.Instance);
        _publisher = new RelayPublisher(_broker, TimeSpan.FromSeconds(10));
    }

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _publisher.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Benchmark]
    public async Task Publish_and_confirm()
    {
        var outcomes = await _publisher.PublishAsync(
            new ArraySegment<OutboxMessage>(_messages, 0, Messages),
            CancellationToken.None
        );
        if (!Array.TrueForAll(outcomes, o => o.Status == PublishStatus.Confirmed))
            throw new InvalidOperationException(
                $"expected {Messages} confirms, got {outcomes.Count(o => o.Status == PublishStatus.Confirmed)}; first other: {outcomes.First(o => o.Status != PublishStatus.Confirmed)}"
            );
    }
}
