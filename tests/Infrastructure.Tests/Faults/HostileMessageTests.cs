using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Clocks;
using QueueWorkers.Monitoring;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// Messages that somebody else has made: by mistake, with another version, or to do harm. Each ends where an operator
/// finds it, and none holds up the others.
/// </summary>
public sealed class HostileMessageTests() : ZooFixture("patient")
{
    private const string Queue = "patient";

    [TestCase("{ this is no message")]
    [TestCase("")]
    [TestCase("null")]
    [TestCase("[]")]
    [TestCase("{}")]
    public async Task What_cannot_be_read_is_put_aside_and_the_next_message_is_served(string body)
    {
        var before = await AsideAsync();
        var innocent = Guid.NewGuid();
        await TestSystem.Broker.PublishBytesAsync(Queue, Encoding.UTF8.GetBytes(body), new ByHand());
        await DeliverAsync(Queue, new Feed(innocent));

        await TestSystem.UntilAsync(innocent, Queue, StepStatus.Done);
        await Eventually.That(AsideAsync, Is.EqualTo(before + 1), "messages in 'patient_error' and 'patient_skipped'");
        await Eventually.That(() => TestSystem.Broker.CountAsync(Queue), Is.Zero, "messages in the queue");
    }

    [Test]
    public async Task A_message_of_a_type_that_the_step_does_not_know_is_skipped()
    {
        var before = await TestSystem.Broker.CountAsync("patient_skipped");
        await DeliverAsync(Queue, new Born(Guid.NewGuid()));
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("patient_skipped"),
            Is.EqualTo(before + 1),
            "messages in 'patient_skipped'"
        );
    }

    [Test]
    public async Task Addresses_in_a_message_make_no_queue_and_get_no_answer()
    {
        var subject = Guid.NewGuid();
        Script.For(
            subject,
            (_, _) => throw new PermanentFaultException("Makes the framework look for somebody to tell.")
        );
        var before = await QueuesAsync();
        var envelope = Envelope(subject);
        foreach (var address in new[] { "responseAddress", "faultAddress", "sourceAddress", "destinationAddress" })
            envelope[address] = Stolen(address.ToLowerInvariant());
        await PublishAsync(envelope);
        // The same in the headers, of a message that never gets as far as the step.
        var unreadable = Encoding.UTF8.GetBytes($"{{ no message about {subject}");
        await TestSystem.Broker.PublishBytesAsync(
            Queue,
            unreadable,
            new ByHand
            {
                Headers = new()
                {
                    ["MT-Fault-Address"] = Stolen("header-fault"),
                    ["MT-Response-Address"] = Stolen("header-response"),
                },
            }
        );

        await TestSystem.UntilAsync(subject, Queue, StepStatus.Failed);
        await Eventually.That(
            () => DeadLetteredAsync(Queue, subject),
            Is.EqualTo(2),
            "messages of the subject in the _error queue"
        );
        Assert.That(await QueuesAsync(), Is.EquivalentTo(before), "queues and exchanges");
    }

    [Test]
    public async Task Versions_of_a_contract_that_know_more_or_less_are_read_alike()
    {
        var (newer, older) = (Guid.NewGuid(), Guid.NewGuid());
        var envelope = Envelope(newer);
        envelope["message"]!["colour"] = "added in the next version";
        envelope["message"]!["nested"] = new JsonObject { ["deep"] = new JsonArray(1, "two", null) };
        envelope["aHeaderOfTheFuture"] = true;
        await PublishAsync(envelope);
        // The bare minimum that any version has ever written.
        await PublishAsync(Envelope(older));

        await TestSystem.UntilAsync(newer, Queue, StepStatus.Done);
        await TestSystem.UntilAsync(older, Queue, StepStatus.Done);
    }

    [TestCase("0001-01-01T00:00:00Z")]
    [TestCase("1969-12-31T23:59:59Z")]
    [TestCase("9999-12-31T23:59:59Z")]
    public async Task A_message_sent_at_a_time_that_cannot_be_has_no_time_in_queue_and_stops_no_reader(string sentTime)
    {
        var subject = Guid.NewGuid();
        var envelope = Envelope(subject);
        envelope["sentTime"] = sentTime;
        await PublishAsync(envelope);

        await TestSystem.UntilAsync(subject, Queue, StepStatus.Done);
        Assert.That(
            await TestSystem.Database.CountAsync($"step_runs where subject_id = '{subject}' and queued_at is null"),
            Is.EqualTo(1),
            "rows without a time in queue"
        );
        // What an earlier version has stored.
        await TestSystem.Database.ExecuteAsync(
            "update step_runs set queued_at = '-infinity' where subject_id = $1",
            subject
        );
        var figures = await new StepFiguresReader(TestSystem.Database.Source).ReadAsync(
            DatabaseClock.UtcNow.AddHours(-1),
            DatabaseClock.UtcNow.AddHours(1),
            default
        );
        Assert.That(figures[Queue].Total.P99, Is.Null, "time to done");
    }

    private static JsonObject Envelope(Guid subject) =>
        new()
        {
            ["messageId"] = Guid.NewGuid(),
            ["messageType"] = new JsonArray(MessageName.UrnOf(typeof(Feed))),
            ["message"] = new JsonObject { ["animalId"] = subject },
        };

    private string Stolen(string name) =>
        $"rabbitmq://{TestSystem.Broker.Options.Host}:{TestSystem.Broker.Options.EffectivePort}/{TestSystem.Broker.Options.VirtualHost}/stolen-{name}?durable=true";

    private Task PublishAsync(JsonObject envelope) =>
        TestSystem.Broker.PublishBytesAsync(
            Queue,
            JsonSerializer.SerializeToUtf8Bytes(envelope),
            new ByHand { Id = envelope["messageId"]!.GetValue<Guid>() }
        );

    private async Task<uint> AsideAsync() =>
        await TestSystem.Broker.CountAsync("patient_error") + await TestSystem.Broker.CountAsync("patient_skipped");

    private async Task<IReadOnlyList<string>> QueuesAsync()
    {
        var names = new List<string>();
        using var http = new HttpClient();
        var credentials = Convert.ToBase64String(
            Encoding.UTF8.GetBytes($"{TestSystem.Broker.Options.Username}:{TestSystem.Broker.Options.Password}")
        );
        http.DefaultRequestHeaders.Authorization = new("Basic", credentials);
        foreach (var kind in new[] { "queues", "exchanges" })
        {
            var json = await http.GetStringAsync(
                new Uri(
                    TestSystem.Broker.Options.ManagementUri!,
                    $"/api/{kind}/{Uri.EscapeDataString(TestSystem.Broker.Options.VirtualHost)}?columns=name"
                )
            );
            names.AddRange(JsonNode.Parse(json)!.AsArray().Select(q => $"{kind}: {q!["name"]!.GetValue<string>()}"));
        }

        return names;
    }
}
