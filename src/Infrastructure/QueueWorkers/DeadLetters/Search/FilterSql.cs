using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Outbox.Ids;

namespace QueueWorkers.DeadLetters.Search;

/// <summary>
/// A filter as a condition on <c>failures f</c>. Only the members that are given become part of it, so that the planner
/// sees just those.
/// </summary>
internal sealed class FilterSql
{
    private const int MostSubjects = 10_000;

    // Deeper than payloads are.
    private const int DeepestPath = 32;

    private readonly List<string> _conditions = [];
    private readonly List<NpgsqlParameter> _parameters = [];

    /// <summary>The condition, without "where".</summary>
    public string Condition =>
        string.Join(" and ", PathCondition is null ? _conditions : [.. _conditions, PathCondition]);

    /// <summary>The condition without the one on the payload's path.</summary>
    public string WithoutPath => string.Join(" and ", _conditions);

    /// <summary>The condition on the payload's path; null when there is none.</summary>
    public string? PathCondition { get; private set; }

    /// <summary>Builds it.</summary>
    /// <exception cref="InvalidFilterException">The filter cannot be used.</exception>
    public static async Task<FilterSql> OfAsync(
        FailureFilter filter,
        ISubjectDirectory subjects,
        CancellationToken cancellationToken
    )
    {
        var sql = new FilterSql();
        sql.Add("f.state = {0}", (short)(filter.State ?? FailureState.Failed));
        sql.AddIf(filter.Ids?.ToArray(), "f.id = any({0})");
        sql.AddIf(filter.Step, "f.step = {0}");
        sql.AddIf(filter.Queue, "f.queue = {0}");
        sql.AddIf(filter.Group, "f.fingerprint = {0}");
        sql.AddIf(filter.Build, "f.build = {0}");
        if (filter.Fault is { } fault)
        {
            // The index is on the name without its namespace; a full name is compared as well.
            sql.Add($"{FaultName} = {{0}}", fault[(fault.LastIndexOf('.') + 1)..]);
            if (fault.Contains('.', StringComparison.Ordinal))
                sql.Add("f.fault_type = {0}", fault);
        }

        if (filter.Type is { } type)
        {
            sql.Add($"{TypeName} = {{0}}", type[(type.LastIndexOf(':') + 1)..]);
            if (type.Contains(':', StringComparison.Ordinal))
                sql.Add("f.message_type = {0}", type);
        }

        // An id begins with the moment of dead-lettering: a span of time is a range of every index below, in the order
        // of its pages.
        if (filter.From is { } from)
            sql.Add("f.id >= {0}", TimedId.FirstAt(from));
        if (filter.To is { } to)
            sql.Add("f.id < {0}", TimedId.FirstAt(to));
        if (filter.Text is { } text)
        {
            // The payload may be masked: what everybody may search is the fault's message, which everybody sees. The
            // first condition is the one that the index answers.
            sql.Add($"{SearchedText} ilike {{0}}", Pattern(text));
            if (!filter.InMaskedPayloads)
                sql.Add("f.fault_message ilike {0}", Pattern(text));
        }

        if (filter.Path is { } path)
        {
            var (names, value) = PathValue(path);
            if (!filter.InMaskedPayloads)
                sql.Add("f.message_type = any({0})", subjects.TypesShowing(names).ToArray());
            sql.PathCondition = sql.With(
                "f.payload @> {0}",
                new NpgsqlParameter { Value = Document(names, value), NpgsqlDbType = NpgsqlDbType.Jsonb }
            );
        }

        if (filter.Subject is { } subject)
            sql.Add(
                "f.subject_id = any({0})",
                await subjects.FindAsync(subject, cancellationToken) is { } id ? new[] { id } : []
            );
        if (filter.Owner is { } owner)
        {
            var subjectsOf = await subjects.OfOwnerAsync(owner, MostSubjects + 1, cancellationToken);
            // Some of them would be a search that misses failures, and a redrive that leaves messages behind, without a
            // word.
            sql.Add(
                "f.subject_id = any({0})",
                subjectsOf.Count <= MostSubjects
                    ? subjectsOf.ToArray()
                    : throw new InvalidFilterException(
                        $"More than {MostSubjects} subjects belong to this owner; name the failures by something else."
                    )
            );
        }

        return sql;
    }

    /// <summary>The expression that the index of trigrams is on.</summary>
    internal const string SearchedText = "(f.fault_message || ' ' || coalesce(f.payload::text, ''))";

    private const string FaultName = "substring(f.fault_type from '[^.]+$')";
    private const string TypeName = "split_part(f.message_type, ':', 2)";

    /// <summary>Adds a condition with a value.</summary>
    public void Add(string condition, object value) => _conditions.Add(With(condition, value));

    /// <summary>A command with the condition's parameters; more may be added after them.</summary>
    /// <param name="connection">Where to run it.</param>
    /// <param name="sql">Given the condition.</param>
    /// <param name="more">Parameters that <paramref name="sql"/> numbers from <see cref="Next"/> on.</param>
    public NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> more)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in _parameters)
            command.Parameters.Add(parameter.Clone());
        foreach (var value in more)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        return command;
    }

    /// <summary>The same for a batch.</summary>
    public NpgsqlBatchCommand InBatch(string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in _parameters)
            command.Parameters.Add(parameter.Clone());
        return command;
    }

    /// <summary>The number of the first parameter after the condition's.</summary>
    public int Next => _parameters.Count + 1;

    private string With(string condition, object value)
    {
        _parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        return string.Format(CultureInfo.InvariantCulture, condition, $"${_parameters.Count}");
    }

    private void AddIf(object? value, string condition)
    {
        if (value is not null)
            Add(condition, value);
    }

    private static string Pattern(string text) =>
        text.Length >= 3
            ? "%"
                + text.Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("%", "\\%", StringComparison.Ordinal)
                    .Replace("_", "\\_", StringComparison.Ordinal)
                + "%"
            : throw new InvalidFilterException(
                $"text must have at least 3 characters, got {text.Length}; a shorter one is found in nearly everything."
            );

    // customer.city=Hamburg is a value at two names; a number, true, false and null stay what they are.
    private static (string[] Names, JsonNode? Value) PathValue(string path)
    {
        var equals = path.IndexOf('=', StringComparison.Ordinal);
        string[] names = equals <= 0 ? [] : path[..equals].Split('.');
        if (names.Length is 0 or > DeepestPath)
            throw new InvalidFilterException(
                $"path must be 1–{DeepestPath} names with dots, an equals sign and a value, such as customer.city=Hamburg."
            );
        var text = path[(equals + 1)..];
        try
        {
            return (names, JsonNode.Parse(text) is JsonValue or null ? JsonNode.Parse(text) : text);
        }
        catch (System.Text.Json.JsonException)
        {
            return (names, text);
        }
    }

    private static string Document(string[] names, JsonNode? value)
    {
        foreach (var name in names.AsEnumerable().Reverse())
            value = new JsonObject { [name] = value };
        return value!.ToJsonString();
    }
}
