using Microsoft.Extensions.Primitives;
using Orders.Dashboard.Viewing;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;

namespace Orders.Dashboard.Failures;

/// <summary>The filter of the failures, as it stands in addresses and forms.</summary>
internal static class Filters
{
    /// <summary>Reads it.</summary>
    /// <param name="field">A field of the query string or the form.</param>
    public static FailureFilter Read(Func<string, StringValues> field)
    {
        string? Text(string name) => field(name).ToString().Trim() is { Length: > 0 } text ? text : null;
        Guid[] ids =
        [
            .. field("ids")
                .SelectMany(v => (v ?? "").Split(','))
                .Select(v => Guid.TryParse(v, out var id) ? id : Guid.Empty)
                .Where(id => id != Guid.Empty)
                .Distinct(),
        ];
        return new FailureFilter
        {
            Ids = ids.Length == 0 ? null : ids,
            State = Enum.TryParse<FailureState>(Text("state"), out var state) && Enum.IsDefined(state) ? state : null,
            Step = Text("step"),
            Queue = Text("queue"),
            Fault = Text("fault"),
            Group = Text("group"),
            Type = Text("type"),
            Subject = Text("order"),
            Owner = Text("customer"),
            Build = Text("build"),
            From = DateTimeOffset.TryParse(Text("from"), out var from) ? from : null,
            To = DateTimeOffset.TryParse(Text("to"), out var to) ? to : null,
            Text = Text("text"),
            Path = Text("path"),
        };
    }

    /// <summary>Its fields.</summary>
    public static IEnumerable<(string Name, object? Value)> Fields(FailureFilter filter) =>
        [
            ("ids", filter.Ids is { } ids ? string.Join(',', ids) : null),
            ("state", filter.State),
            ("step", filter.Step),
            ("queue", filter.Queue),
            ("fault", filter.Fault),
            ("group", filter.Group),
            ("type", filter.Type),
            ("order", filter.Subject),
            ("customer", filter.Owner),
            ("build", filter.Build),
            ("from", filter.From?.ToString("O")),
            ("to", filter.To?.ToString("O")),
            ("text", filter.Text),
            ("path", filter.Path),
        ];

    /// <summary>The address of a page with this filter.</summary>
    public static string Address(string path, FailureFilter filter, Guid? after = null) =>
        Page.Address(path, Fields(filter).Append(("after", after)));

    /// <summary>The same address with one field changed; null takes the field out.</summary>
    public static string AddressWith(
        string path,
        FailureFilter filter,
        string name,
        object? value,
        bool each = false
    ) => AddressWith(path, filter, [(name, value)], each);

    /// <summary>The same with some fields changed.</summary>
    public static string AddressWith(
        string path,
        FailureFilter filter,
        IReadOnlyList<(string Name, object? Value)> changes,
        bool each = false
    ) =>
        Page.Address(
            path,
            [
                .. Fields(filter).Where(f => changes.All(c => c.Name != f.Name)),
                .. changes,
                ("each", each ? "true" : null),
            ]
        );

    /// <summary>The filter in words.</summary>
    public static string Words(FailureFilter filter) =>
        filter.Ids is { } ids
            ? Texts.Many(ids.Count, "selected message")
            : string.Join(
                ", ",
                Fields(filter).Where(f => f.Value is not null && f.Name != "state").Select(f => $"{f.Name} {f.Value}")
            );
}
