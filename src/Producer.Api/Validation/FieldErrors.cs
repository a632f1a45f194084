using System.Text.Json;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// What is wrong with which field. Fields are named by JSON pointer (RFC 6901), query parameters by their name.
/// </summary>
internal sealed class FieldErrors
{
    // A hostile body could hold a fault every few bytes; an answer stays small all the same.
    private const int MostFields = 100;

    private readonly Dictionary<string, List<string>> _messages = [];

    /// <summary>Whether nothing is wrong.</summary>
    public bool IsEmpty => _messages.Count == 0;

    /// <summary>The fields, in the order in which they were found.</summary>
    public IReadOnlyDictionary<string, List<string>> Messages => _messages;

    /// <summary>Notes what is wrong with a field.</summary>
    /// <param name="pointer">The field.</param>
    /// <param name="message">What was expected; never what was sent.</param>
    public void Add(string pointer, string message)
    {
        if (_messages.TryGetValue(pointer, out var known))
        {
            if (!known.Contains(message) && known.Count < MostFields)
                known.Add(message);
        }
        else if (_messages.Count < MostFields)
        {
            _messages.Add(pointer, [message]);
        }
    }

    /// <summary>Writes the errors as a JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var (pointer, messages) in _messages)
        {
            writer.WriteStartArray(pointer);
            foreach (var message in messages)
                writer.WriteStringValue(message);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }
}
