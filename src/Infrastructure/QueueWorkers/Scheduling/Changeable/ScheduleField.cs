using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>What a field of a payload holds.</summary>
public enum ScheduleFieldType
{
    /// <summary>A whole number.</summary>
    Number,

    /// <summary>A text of one line.</summary>
    Text,

    /// <summary>One of several words.</summary>
    Choice,

    /// <summary>Yes or no.</summary>
    Flag,
}

/// <summary>
/// One field of a payload that operators fill in. Declared in code, stored by the deployment, so that the dashboard
/// knows it without the code. Personal data do not belong there: a text with a mail address is refused.
/// </summary>
/// <param name="Name">Its name in the payload, <c>[a-z][a-zA-Z0-9]{0,39}</c>.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Label">What operators read beside it.</param>
public sealed record ScheduleField(string Name, ScheduleFieldType Type, string Label)
{
    /// <summary>False when it may be left out. A flag that is left out is off.</summary>
    public bool Required { get; init; } = true;

    /// <summary>The smallest number.</summary>
    public int Least { get; init; }

    /// <summary>The largest number.</summary>
    public int Most { get; init; }

    /// <summary>The longest text, in characters.</summary>
    public int Longest { get; init; }

    /// <summary>What a text must match as a whole, a regular expression; null for any text.</summary>
    public string? Pattern { get; init; }

    /// <summary>The words to choose from.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>An example, such as <c>MUG-</c>; null for none.</summary>
    public string? Example { get; init; }

    /// <summary>What a value has to be, to be read after "Expected".</summary>
    public string Expectation =>
        Type switch
        {
            ScheduleFieldType.Number => $"a whole number {Least}–{Most}",
            ScheduleFieldType.Choice => $"one of {string.Join(", ", Choices)}",
            ScheduleFieldType.Flag => "true or false",
            _ =>
                $"a text of at most {Longest} characters{(Pattern is null ? "" : $" that matches {Pattern}")}{(Example is null ? "" : $", such as {Example}")}",
        };

    /// <summary>A whole number.</summary>
    public static ScheduleField Number(string name, string label, int least, int most, bool required = true) =>
        new(name, ScheduleFieldType.Number, label)
        {
            Least = least,
            Most = most,
            Required = required,
        };

    /// <summary>A text of one line.</summary>
    public static ScheduleField Text(
        string name,
        string label,
        int longest,
        string? pattern = null,
        string? example = null,
        bool required = true
    ) =>
        new(name, ScheduleFieldType.Text, label)
        {
            Longest = longest,
            Pattern = pattern,
            Example = example,
            Required = required,
        };

    /// <summary>One of several words.</summary>
    public static ScheduleField Choice(string name, string label, params string[] choices) =>
        new(name, ScheduleFieldType.Choice, label) { Choices = choices };

    /// <summary>Yes or no.</summary>
    public static ScheduleField Flag(string name, string label) =>
        new(name, ScheduleFieldType.Flag, label) { Required = false };

    /// <summary>
    /// The value as it is stored; null when it is left out. Numbers and flags may also come as texts, as forms and
    /// scripts send them.
    /// </summary>
    /// <exception cref="FormatException">It does not fit; the message says what was expected and found.</exception>
    internal JsonValue? Read(JsonNode? given)
    {
        if (given is null || IsEmptyText(given))
            return Required ? throw new FormatException($"Expected {Expectation}, found nothing.") : null;
        return Type switch
        {
            ScheduleFieldType.Number when NumberIn(given) is { } number && number >= Least && number <= Most =>
                JsonValue.Create(number),
            ScheduleFieldType.Flag when FlagIn(given) is { } flag => JsonValue.Create(flag),
            ScheduleFieldType.Choice when TextIn(given) is { } word && Choices.Contains(word, StringComparer.Ordinal) =>
                JsonValue.Create(word),
            ScheduleFieldType.Text when TextIn(given) is { } text => JsonValue.Create(Checked(text)),
            _ => throw new FormatException($"Expected {Expectation}, found {Quote(given)}."),
        };
    }

    private string Checked(string text)
    {
        if (PersonalText.Of(text) != text)
            throw new FormatException(
                "Expected no personal data, found a mail address: a schedule outlives the person. Remove it."
            );
        if (
            text.Length > Longest
            || text.Any(char.IsControl)
            || (Pattern is not null && !Regex.IsMatch(text, $@"\A(?:{Pattern})\z", RegexOptions.NonBacktracking))
        )
            throw new FormatException($"Expected {Expectation}, found {Quote(text)}.");
        return text;
    }

    private static bool IsEmptyText(JsonNode given) => TextIn(given) is { } text && text.Trim().Length == 0;

    private static string? TextIn(JsonNode given) =>
        given is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static int? NumberIn(JsonNode given) =>
        (
            TextIn(given) is { } text ? text.Trim()
            : given.GetValueKind() == JsonValueKind.Number ? given.ToJsonString()
            : ""
        )
            is { Length: > 0 } digits
        && int.TryParse(
            digits,
            System.Globalization.NumberStyles.AllowLeadingSign,
            System.Globalization.CultureInfo.InvariantCulture,
            out var number
        )
            ? number
            : null;

    private static bool? FlagIn(JsonNode given) =>
        given.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String when bool.TryParse(given.GetValue<string>(), out var flag) => flag,
            _ => null,
        };

    // What was found may be anything, and as long as a request may be.
    private static string Quote(JsonNode given) =>
        TextIn(given) is { } text ? Quote(text) : Short(given.ToJsonString());

    private static string Quote(string text) => $"'{Short(PersonalText.Of(text))}'";

    private static string Short(string text) => text.Length <= 60 ? text : $"{text[..60]}…";
}
