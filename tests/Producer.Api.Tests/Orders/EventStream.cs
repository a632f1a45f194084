using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>Server-sent events as they come.</summary>
internal sealed class EventStream(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    public static async Task<EventStream> OpenAsync(HttpResponseMessage response)
    {
        Assert.That(
            (response.StatusCode, response.Content.Headers.ContentType?.MediaType),
            Is.EqualTo((System.Net.HttpStatusCode.OK, "text/event-stream"))
        );
        return new EventStream(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>Reads on until an event satisfies the condition, or the stream closes.</summary>
    public async Task<List<Event>> UntilAsync(Func<Event, bool> condition, CancellationToken deadline)
    {
        var events = new List<Event>();
        var name = "";
        while (await reader.ReadLineAsync(deadline) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            events.Add(new Event(name, JsonNode.Parse(line[6..])!));
            if (condition(events[^1]))
                break;
        }

        return events;
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}

/// <summary>One event.</summary>
internal sealed record Event(string Name, JsonNode Data)
{
    public override string ToString() =>
        Name == "step" ? $"step {Data["step"]} {Data["stepStatus"]} {Data["attempts"]}" : $"{Name} {Data["status"]}";
}
