using System.Collections;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Values of a log line or scope as providers may see them. Those that keep values apart from the text, such as JSON
/// and OTLP, read them here.
/// </summary>
internal sealed class MaskedState(object? state, string text) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly KeyValuePair<string, object?>[] _values =
    [
        .. (state as IEnumerable<KeyValuePair<string, object?>> ?? []).Select(v => new KeyValuePair<string, object?>(
            v.Key,
            v.Value is null or bool or byte or short or int or long or double or decimal or Guid
            || (v.Value.ToString() is var value && (value is null || Safe(value) == value))
                ? v.Value
                : Safe(v.Value.ToString() ?? "")
        )),
    ];

    /// <summary>The masked text.</summary>
    public string Text => text;

    /// <inheritdoc />
    public int Count => _values.Length;

    /// <inheritdoc />
    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc />
    public override string ToString() => text;

    /// <summary>A text with masks and escapes; the same object when there is nothing to change.</summary>
    internal static string Safe(string value) => LogText.Of(PersonalText.Of(value));
}
