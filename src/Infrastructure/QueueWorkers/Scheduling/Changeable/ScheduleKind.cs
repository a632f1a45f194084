using System.Text.RegularExpressions;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>
/// What code declares so that operators can create schedules of it at run time: the message that a firing publishes,
/// the fields of its payload, and limits.
/// </summary>
/// <param name="Name">Lower-case, <c>[a-z][a-z0-9-]{1,40}</c>.</param>
/// <param name="About">A sentence for operators: what a firing does.</param>
/// <param name="Message">The name of the message's type.</param>
/// <param name="Fields">What the payload holds.</param>
/// <param name="SmallestInterval">The shortest time between two firings of one schedule, 1 second or more.</param>
/// <param name="Most">The most schedules of this kind.</param>
public sealed partial record ScheduleKind(
    string Name,
    string About,
    string Message,
    IReadOnlyList<ScheduleField> Fields,
    TimeSpan SmallestInterval,
    int Most
)
{
    /// <summary>What <see cref="SmallestInterval"/> is unless the declaration says otherwise.</summary>
    public static readonly TimeSpan UsualInterval = TimeSpan.FromMinutes(1);

    // Cron texts know nothing shorter.
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The name of a schedule of this kind. Schedules of the code have no dot in their names, so a later version never
    /// takes the name of one that an operator has created.
    /// </summary>
    public string NameOf(string own) => $"{Name}.{own}";

    /// <summary>Whether an operator may give a schedule this name, without the kind before it.</summary>
    public static bool IsOwnName(string own) => OwnName().IsMatch(own);

    /// <summary>Why the declaration cannot be used; null when it can.</summary>
    internal string? Problem()
    {
        if (SmallestInterval < LeastInterval)
            return $"expected a smallest interval of at least {LeastInterval}, got {SmallestInterval}";
        if (Most < 1)
            return $"expected at least one schedule, got {Most}";
        foreach (var field in Fields)
        {
            if (!FieldName().IsMatch(field.Name))
                return $"the name of a field must match [a-z][a-zA-Z0-9]{{0,39}}, got '{field.Name}'";
            if (field.Type == ScheduleFieldType.Number && field.Least > field.Most)
                return $"field '{field.Name}' takes no number: {field.Least}–{field.Most}";
            if (field.Type == ScheduleFieldType.Text && field.Longest is < 1 or > LongestText)
                return $"field '{field.Name}' must take 1–{LongestText} characters, got {field.Longest}";
            if (field.Type == ScheduleFieldType.Choice && field.Choices.Count == 0)
                return $"field '{field.Name}' has nothing to choose from";
            if (field.Pattern is { } pattern)
                // Throws for what is no regular expression, or one that needs backtracking.
                _ = new Regex(pattern, RegexOptions.NonBacktracking);
        }

        return Fields.GroupBy(f => f.Name).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? $"two fields are called '{twice.Key}'"
            : null;
    }

    // Texts are shown on one line, and a payload is one row of a small table.
    private const int LongestText = 500;

    [GeneratedRegex("^[a-z][a-z0-9-]{0,40}$")]
    private static partial Regex OwnName();

    [GeneratedRegex("^[a-z][a-zA-Z0-9]{0,39}$")]
    private static partial Regex FieldName();
}
