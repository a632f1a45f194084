using System.Collections;
using System.Reflection;
using System.Text.Json;
using Orders.Contracts;

namespace Orders.Infrastructure.Failures;

/// <summary>
/// Which members of a contract everybody who sees failures may see: known ones that are not marked as personal. Masks
/// and searches ask here, so that a search finds what its reader sees, and no more.
/// </summary>
public static class PersonalMembers
{
    /// <summary>The type of a member; null when the member is personal or unknown.</summary>
    /// <param name="type">The type that has it.</param>
    /// <param name="name">Its name in JSON.</param>
    public static Type? MemberOf(Type type, string name) =>
        type.GetProperties().FirstOrDefault(p => NameOf(p) == name) is { } property
        && property.GetCustomAttribute<PersonalAttribute>() is null
            ? property.PropertyType
            : null;

    /// <summary>The type of the elements of a list; null when it is none.</summary>
    public static Type? ElementOf(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) ? type.GetGenericArguments()[0]
        : null;

    /// <summary>Whether a value of the type is a single one: no object, no list.</summary>
    public static bool IsPlain(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (
            plain.IsPrimitive
            || plain.IsEnum
            || plain == typeof(string)
            || plain == typeof(decimal)
            || plain == typeof(Guid)
            || plain == typeof(DateTimeOffset)
            || plain == typeof(DateTime)
            || plain == typeof(DateOnly)
            || plain == typeof(TimeOnly)
            || plain == typeof(TimeSpan)
        );

    /// <summary>Whether a contract has a member at a path, personal or not.</summary>
    /// <param name="contract">The contract.</param>
    /// <param name="path">The names of the members, from the root on.</param>
    public static bool Has(Type contract, IEnumerable<string> path) =>
        path.Aggregate(
            (Type?)contract,
            (at, name) => at?.GetProperties().FirstOrDefault(p => NameOf(p) == name)?.PropertyType
        )
            is not null;

    /// <summary>Whether payloads of a contract show the single value at a path.</summary>
    /// <param name="contract">The contract.</param>
    /// <param name="path">The names of the members, from the root on.</param>
    public static bool IsShown(Type contract, IEnumerable<string> path) =>
        path.Aggregate((Type?)contract, (at, name) => at is null ? null : MemberOf(at, name)) is { } type
        && IsPlain(type);

    private static string NameOf(PropertyInfo property) => JsonNamingPolicy.CamelCase.ConvertName(property.Name);
}
