using Microsoft.AspNetCore.Components;

namespace Orders.Dashboard.Viewing;

/// <summary>Answers with a page, or a part of one, rendered on the server.</summary>
internal static class Page
{
    /// <summary>A page.</summary>
    /// <param name="parameters">The component's parameters, as members of an anonymous object.</param>
    /// <param name="status">The HTTP status.</param>
    public static PageResult<TPage> Of<TPage>(object parameters, int status = StatusCodes.Status200OK)
        where TPage : IComponent => new(parameters, status);

    /// <summary>
    /// The words of a query string, without what is empty: the address of the same page with other filters.
    /// </summary>
    public static string Address(string path, params IEnumerable<(string Name, object? Value)> query)
    {
        var text = string.Join(
            '&',
            query
                .Where(q => q.Value is not null && q.Value.ToString() is not "")
                .Select(q => $"{q.Name}={Uri.EscapeDataString(q.Value!.ToString()!)}")
        );
        return text == "" ? path : $"{path}?{text}";
    }
}
