using BenchmarkDotNet.Attributes;
using Orders.Infrastructure;
using QueueWorkers.Consuming;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps.Runs;

namespace Orders.Bench.Micro;

/// <summary>
/// The idempotency filter: runs that are there together are checked, recorded and committed together. Divide by the
/// runs.
/// </summary>
public class StepCommitBenchmarks
{
    private readonly RelayFeed _feed = new();
    private StepCommitter _committer = null!;
    private Guid[] _messages = [];

    [Params(1, 100)]
    public int Runs { get; set; }

    [GlobalSetup]
    public async Task OpenAsync()
    {
        var source = Place.Present.Source;
        _committer = new StepCommitter(source, [], new OrderProgressRecorder(new StepBitmask()), _feed);
        _messages = [.. Enumerable.Range(0, Runs).Select(_ => Guid.NewGuid())];
        await CommitAsync(_messages);
    }

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        await _committer.DisposeAsync();
        _feed.Dispose();
    }

    [Benchmark]
    public Task Fresh_runs() => CommitAsync([.. Enumerable.Range(0, Runs).Select(_ => Guid.NewGuid())]);

    [Benchmark]
    public Task Copies_that_are_dropped() => CommitAsync(_messages);

    private Task<bool[]> CommitAsync(Guid[] messages) =>
        Task.WhenAll(messages.Select(id => _committer.CommitAsync(new StepRun(LightStep.Policy, id, id, id, 1, null))));
}
