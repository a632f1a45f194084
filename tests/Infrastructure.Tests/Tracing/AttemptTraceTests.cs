using System.Diagnostics;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Tracing;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying.Publishing;
using QueueWorkers.Steps;
using QueueWorkers.Telemetry;

namespace Orders.Infrastructure.Tests.Tracing;

/// <summary>The trace of a message over retries in memory, redeliveries, and what its step sends.</summary>
[NonParallelizable]
public sealed class AttemptTraceTests() : ZooFixture("patient,mother,careful")
{
    private static readonly ActivityTraceId Sampled = ActivityTraceId.CreateRandom();
    private static readonly string Unsampled =
        $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-00";

    [Test]
    public async Task Retries_and_redeliveries_are_attempts_of_one_trace_each_linked_to_the_one_before()
    {
        using var traces = new InMemoryTraces();
        var animal = Guid.NewGuid();
        Script.For(animal, (_, run) => run < 4 ? throw new TimeoutException("Not yet.") : Task.CompletedTask);
        var parent = $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-01";
        await DeliverAsync("patient", new Feed(animal), new ByHand { Id = animal, Headers = Traced(parent) });
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(animal, "patient"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        await Eventually.That(() => Attempts(traces, parent, "patient").Length, Is.EqualTo(4), "spans of attempts");

        var attempts = Attempts(traces, parent, "patient");
        Assert.That(
            attempts.Select(s => (s["queueworkers.attempt"], s["queueworkers.outcome"])),
            Is.EqualTo(new[] { ("1", "failed"), ("2", "failed"), ("3", "failed"), ("4", "done") })
        );
        Assert.That(attempts.Select(s => s.ParentId), Is.All.EqualTo(parent.Split('-')[2]), "parent");
        Assert.That(
            attempts.SelectMany(s => s.Links.Select(l => l.SpanId)),
            Is.EqualTo(attempts.SkipLast(1).Select(s => s.SpanId)),
            "links"
        );
        Assert.That(
            traces.Spans.Where(s => s.ParentId == attempts[3].SpanId).Select(s => s.Name),
            Does.Contain("commit step")
        );
    }

    [Test]
    public async Task A_foreign_publishers_trace_goes_on()
    {
        using var traces = new InMemoryTraces();
        var parent = $"00-{ActivityTraceId.CreateRandom()}-{ActivitySpanId.CreateRandom()}-01";
        var animal = Guid.NewGuid();
        var headers = new Dictionary<string, object?> { [TraceHeaders.ForeignParent] = parent };
        await DeliverAsync("patient", new Feed(animal), new ByHand { Id = animal, Headers = headers });
        await TestSystem.UntilAsync(animal, "patient", StepStatus.Done);
        await Eventually.That(() => Attempts(traces, parent, "patient").Length, Is.EqualTo(1), "spans of attempts");
    }

    [Test]
    public async Task Whatever_a_step_sends_is_created_in_its_attempt_and_says_so_to_the_next()
    {
        using var traces = new InMemoryTraces();
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var parent = $"00-{Sampled}-{ActivitySpanId.CreateRandom()}-01";
        var animal = Guid.NewGuid();
        await DeliverAsync("mother", new Feed(animal), new ByHand { Id = animal, Headers = Traced(parent) });
        await UntilArrivedAsync(listener, 1);
        await Eventually.That(
            () =>
                traces
                    .Spans.Where(s => s.TraceId == $"{Sampled}")
                    .Select(s => s.Name.Split(' ')[0])
                    .CountBy(operation => operation)
                    .ToDictionary(),
            Does.ContainKey("create").WithValue(3).And.ContainKey("send").WithValue(3),
            "spans of the three messages"
        );

        var attempt = Attempts(traces, parent, "mother").Single();
        var created = traces.Spans.Where(s =>
            s.TraceId == $"{Sampled}" && s.Name.StartsWith("create ", StringComparison.Ordinal)
        );
        Assert.That(created.Select(s => s.ParentId), Is.All.EqualTo(attempt.SpanId));
        var born = created.Single(s => s.Name.EndsWith("Born", StringComparison.Ordinal));
        var message = (await TestSystem.Broker.TakeAllAsync(listener)).Single();
        var header = (byte[])message.BasicProperties.Headers![OutgoingMessage.TraceHeader]!;
        Assert.That(
            System.Text.Encoding.UTF8.GetString(header),
            Is.EqualTo($"00-{Sampled}-{born.SpanId}-01"),
            "what the next step finds"
        );
    }

    [Test]
    public async Task A_message_that_is_not_sampled_leaves_no_span_whatever_happens_to_it()
    {
        using var traces = new InMemoryTraces();
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var animal = Guid.NewGuid();
        Script.For(animal, (_, run) => run == 1 ? throw new TimeoutException("Not yet.") : Task.CompletedTask);
        await DeliverAsync("mother", new Feed(animal), new ByHand { Id = animal, Headers = Traced(Unsampled) });
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(animal, "mother"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        await Eventually.That(() => TestSystem.Broker.CountAsync(listener), Is.Positive, "messages of the step");

        // Once or twice: the fast forward makes rows due that the relay is about to send.
        var message = (await TestSystem.Broker.TakeAllAsync(listener))
            .DistinctBy(m => m.BasicProperties.MessageId)
            .Single();
        var header = System.Text.Encoding.UTF8.GetString(
            (byte[])message.BasicProperties.Headers![OutgoingMessage.TraceHeader]!
        );
        Assert.That(header, Does.StartWith(Unsampled[..36]).And.EndsWith("-00"), "the next step is told");
        Assert.That(traces.Spans.Where(s => s.TraceId == Unsampled.Split('-')[1]), Is.Empty);
        Assert.That(
            traces.Spans.Where(s => s["queueworkers.subject.id"] == animal.ToString()),
            Is.Empty,
            "spans in other traces"
        );
    }

    [Test]
    public async Task Where_nobody_listens_there_is_no_activity_and_nothing_is_added_to_what_a_step_sends()
    {
        Assert.That(QueueWorkersTelemetry.Source.HasListeners(), Is.False, "somebody listens");
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var activity = new TaskCompletionSource<Activity?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var animal = Guid.NewGuid();
        Script.For(
            animal,
            (_, _) =>
            {
                activity.TrySetResult(Activity.Current);
                return Task.CompletedTask;
            }
        );
        await DeliverAsync("mother", new Feed(animal), new ByHand { Id = animal });
        Assert.That(await activity.Task.WaitAsync(TimeSpan.FromSeconds(30)), Is.Null, "activity of the run");
        await UntilArrivedAsync(listener, 1);
        var message = (await TestSystem.Broker.TakeAllAsync(listener)).Single();
        Assert.That(message.BasicProperties.Headers?.Keys ?? [], Has.None.EqualTo(TraceHeaders.Parent));
    }

    [Test]
    public void Where_nobody_listens_nothing_is_allocated()
    {
        Assert.That(QueueWorkersTelemetry.Source.HasListeners(), Is.False, "somebody listens");
        OutboxMessage[] rows =
        [
            new()
            {
                Headers = $$"""{"{{TraceHeaders.Parent}}":"00-{{Sampled}}-{{ActivitySpanId.CreateRandom()}}-01"}""",
            },
        ];
        Trace();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Trace();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero, "bytes for 1,000 messages");

        void Trace()
        {
            _ = SendSpans.Begin(rows);
            _ = AttemptSpan.Begin(null!, "patient");
            AttemptSpan.Describe(null, null!);
            AttemptSpan.End(null, "done");
            _ = MessageSpans.Create(null, "patient", Guid.Empty, null);
        }
    }

    private static Dictionary<string, object?> Traced(string parent) => new() { [TraceHeaders.Parent] = parent };

    private static SeenSpan[] Attempts(InMemoryTraces traces, string parent, string step) =>
        [
            .. traces
                .Spans.Where(s => s.TraceId == parent.Split('-')[1] && s.Name == $"process {step}")
                .OrderBy(s => s.StartedAt),
        ];
}
