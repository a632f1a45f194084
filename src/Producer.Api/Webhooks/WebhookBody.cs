using System.Text.Json;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Webhooks;

/// <summary>Reads the body of a web hook: its shape, nothing of its meaning.</summary>
internal sealed class WebhookBody
{
    private static readonly Members Known = new(["url"], ["events"]);
    private static readonly Pointer Events = new("", -1, "events");

    /// <summary>The address, as it came.</summary>
    public string Url { get; private set; } = "";

    /// <summary>The events; null when there are none in the body.</summary>
    public List<string>? Wanted { get; private set; }

    /// <summary>Reads a body.</summary>
    /// <returns>Everything that is wrong with the shape; null when nothing is.</returns>
    public static FieldErrors? Read(ReadOnlySpan<byte> json, out WebhookBody body)
    {
        body = new WebhookBody();
        try
        {
            var reader = new StrictReader(json);
            body.Read(ref reader);
            reader.Finish();
            return reader.Errors;
        }
        catch (Exception exception) when (exception is JsonException or MalformedBodyException)
        {
            return OrderBody.Malformed(exception);
        }
    }

    private void Read(ref StrictReader reader)
    {
        if (!reader.EnterObject(Pointer.Root))
            return;
        var seen = 0u;
        while (reader.NextMember(Known, Pointer.Root, ref seen, out var member))
        {
            if (member == 0)
                Url = reader.Text(Pointer.Root.To(Known.NameOf(0))) ?? "";
            else if (reader.Token != JsonTokenType.Null && reader.EnterArray(Events))
                ReadEvents(ref reader);
        }
    }

    private void ReadEvents(ref StrictReader reader)
    {
        Wanted = [];
        while (reader.NextElement())
        {
            if (reader.Text(Events) is { } text && Wanted.Count < 100)
                Wanted.Add(text);
        }
    }
}
