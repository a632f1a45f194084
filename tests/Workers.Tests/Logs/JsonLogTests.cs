using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers.Tests.Flow;
using QueueWorkers.Outbox;

namespace Orders.Workers.Tests.Logs;

/// <summary>What a worker process writes with <c>Logging__Console__FormatterName=json</c>.</summary>
[NonParallelizable]
public sealed class JsonLogTests : InstallationFixture
{
    [Test]
    public async Task Each_line_of_a_run_has_event_order_message_step_attempt_and_trace_and_nothing_personal()
    {
        await using var worker = await WorkerProcess.StartAsync(
            "Workers",
            TestSystem.Settings([
                .. Towards(World),
                ("Workers:Steps", "email"),
                ("Logging:Console:FormatterName", "json"),
            ])
        );
        using (var http = new HttpClient { BaseAddress = World.BaseUri })
        using (await http.PutAsJsonAsync("behaviour", new { smtp = new { mode = "fullmailbox" } })) { }
        var order = await TestSystem.StoreAsync();
        var message = Guid.NewGuid();
        var trace = ActivityTraceId.CreateRandom();
        await TestSystem.Broker.PublishToAsync(
            "email",
            new OrderAccepted(order, false, DateTimeOffset.UtcNow),
            new ByHand
            {
                Id = message,
                CorrelationId = order,
                Headers = new() { [OutgoingMessage.TraceHeader] = $"00-{trace}-{ActivitySpanId.CreateRandom()}-00" },
            }
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.AttemptsAsync(order, "email"),
            Is.AtLeast(2),
            "attempts on the mail"
        );
        await Eventually.That(() => Failures(worker).Length, Is.AtLeast(2), "lines of failed attempts");

        var lines = worker.Lines.Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
        Assert.That(
            lines.Select(l => l.ContainsKey("Timestamp") && l.ContainsKey("EventId") && l.ContainsKey("Message")),
            Is.All.True,
            "every line is an object with time, event and message"
        );
        foreach (var (failure, attempt) in Failures(worker).Zip([1, 2]))
        {
            var run = failure["Scopes"]!
                .AsArray()
                .OfType<JsonObject>()
                .SelectMany(scope => scope)
                .Where(value => value.Key != "Message")
                .ToDictionary(value => value.Key, value => value.Value!.ToString());
            Assert.That(
                run,
                Is.SupersetOf(
                    new Dictionary<string, string>
                    {
                        ["Step"] = "email",
                        ["SubjectId"] = $"{order}",
                        ["MessageId"] = $"{message}",
                        ["Attempt"] = $"{attempt}",
                        ["TraceId"] = $"{trace}",
                    }
                ),
                failure.ToJsonString()
            );
            Assert.That(failure["LogLevel"]!.GetValue<string>(), Is.EqualTo("Warning"));
            Assert.That(failure["Exception"]!.GetValue<string>(), Does.Contain("452"), "the fault is told");
        }

        Assert.That(
            worker.Lines,
            Has.None.Contains("zoe@example.com").And.None.Contains("Müller").And.None.Contains("Hafenstr"),
            "personal data"
        );
    }

    private static JsonObject[] Failures(WorkerProcess worker) =>
        [
            .. worker
                .Lines.Where(line => line.Contains("\"EventId\":2000", StringComparison.Ordinal))
                .Select(line => JsonNode.Parse(line)!.AsObject()),
        ];
}
