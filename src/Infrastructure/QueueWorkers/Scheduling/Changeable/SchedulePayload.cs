using System.Text.Json.Nodes;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>What an operator has filled in, checked against the fields of the kind.</summary>
public sealed class SchedulePayload
{
    private const int LongestName = 40;

    private readonly JsonObject _values;

    private SchedulePayload(JsonObject values) => _values = values;

    /// <summary>A number that is required.</summary>
    public int Number(string field) => OptionalNumber(field) ?? throw Missing(field);

    /// <summary>A number; null when it was left out.</summary>
    public int? OptionalNumber(string field) => _values[field]?.GetValue<int>();

    /// <summary>A text or choice that is required.</summary>
    public string Text(string field) => OptionalText(field) ?? throw Missing(field);

    /// <summary>A text or choice; null when it was left out.</summary>
    public string? OptionalText(string field) => _values[field]?.GetValue<string>();

    /// <summary>A flag.</summary>
    public bool Flag(string field) => _values[field]?.GetValue<bool>() ?? false;

    /// <summary>The names of the fields that are filled in.</summary>
    public IReadOnlyCollection<string> Fields => [.. _values.Select(v => v.Key)];

    /// <summary>The payload as it is stored.</summary>
    public string ToJson() => _values.ToJsonString();

    /// <summary>Reads a payload, and finds every problem with it.</summary>
    /// <param name="kind">Whose fields it has to fit.</param>
    /// <param name="given">What was given; null for nothing.</param>
    /// <param name="problems">What does not fit is added here.</param>
    /// <returns>The payload; what does not fit is left out of it.</returns>
    public static SchedulePayload Read(ScheduleKind kind, JsonObject? given, ICollection<ScheduleProblem> problems)
    {
        var values = new JsonObject();
        foreach (var field in kind.Fields)
        {
            try
            {
                if (field.Read(given?[field.Name]) is { } value)
                    values[field.Name] = value;
            }
            catch (FormatException unfit)
            {
                problems.Add(new ScheduleProblem($"payload.{field.Name}", unfit.Message));
            }
        }

        var unknown = given?.Select(g => g.Key).Where(name => kind.Fields.All(f => f.Name != name)) ?? [];
        foreach (var name in unknown)
            problems.Add(
                new ScheduleProblem(
                    "payload",
                    $"Expected the fields {string.Join(", ", kind.Fields.Select(f => f.Name))}, found '{(name.Length <= LongestName ? name : $"{name[..LongestName]}…")}'. Remove it."
                )
            );

        return new SchedulePayload(values);
    }

    /// <summary>Reads a payload that was stored.</summary>
    /// <exception cref="FormatException">It does not fit the kind.</exception>
    public static SchedulePayload Parse(ScheduleKind kind, string stored)
    {
        var problems = new List<ScheduleProblem>();
        var payload = Read(kind, JsonNode.Parse(stored) as JsonObject, problems);
        return problems.Count == 0 ? payload : throw new FormatException(ScheduleProblem.Say(problems));
    }

    private static InvalidOperationException Missing(string field) =>
        new($"The kind's code reads the field '{field}', which is not among its required fields.");
}

/// <summary>What is wrong with a schedule that an operator wants.</summary>
/// <param name="Field">Where: <c>name</c>, <c>cron</c>, <c>timeZone</c>, <c>payload.below</c>.</param>
/// <param name="Message">What was expected, what was found, what to change.</param>
public sealed record ScheduleProblem(string Field, string Message)
{
    /// <summary>All of them in one text.</summary>
    public static string Say(IEnumerable<ScheduleProblem> problems) =>
        string.Join(' ', problems.Select(p => $"{p.Field}: {p.Message}"));
}
