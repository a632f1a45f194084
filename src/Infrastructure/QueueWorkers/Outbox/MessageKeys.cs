using System.Collections.Concurrent;
using System.Reflection;
using QueueWorkers.PersonalData;

namespace QueueWorkers.Outbox;

/// <summary>
/// Keys that a message carries in its headers, and all messages that follow from it too: what a limit per key tells
/// messages apart by, without reading anything from the database.
/// </summary>
public static class MessageKeys
{
    private const string Prefix = "Key-";
    private const int Bytes = 8;

    private static readonly ConcurrentDictionary<Type, IReadOnlyList<string>> Declared = new();

    /// <summary>The header of a key.</summary>
    public static string HeaderOf(string key) => Prefix + key;

    /// <summary>Whether a header is one of a key.</summary>
    public static bool IsHeader(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>
    /// The keys that a message type carries, as its contract declares them by an attribute <c>[Keys("customer",
    /// …)]</c>; none unless it does.
    /// </summary>
    public static IReadOnlyList<string> DeclaredBy(Type message) => Declared.GetOrAdd(message, static t => Read(t));

    /// <summary>A value fit for a message: it tells two apart and names nobody, not even to who guesses.</summary>
    public static string ValueOf(PersonalDataHash hash, string text) =>
        Convert.ToHexStringLower(hash.Of("message key", text).AsSpan(0, Bytes));

    // By its name: contracts reference nothing, so the attribute is theirs, and the framework knows no contracts.
    private static IReadOnlyList<string> Read(Type message) =>
        message
            .CustomAttributes.FirstOrDefault(a => a.AttributeType.Name == "KeysAttribute")
            ?.ConstructorArguments[0]
            .Value
            is IReadOnlyList<CustomAttributeTypedArgument> names
            ? [.. names.Select(n => (string)n.Value!)]
            : [];
}
