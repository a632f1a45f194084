using System.Reflection;

namespace QueueWorkers.Steps.Endpoints;

/// <summary>
/// What a message is about, when its envelope does not say: by convention its first <see cref="Guid"/> property, which
/// in a contract is the id of the aggregate.
/// </summary>
/// <typeparam name="T">The message type.</typeparam>
internal static class MessageSubject<T>
    where T : class
{
    private static readonly Func<T, Guid>? Getter = typeof(T)
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .FirstOrDefault(p => p.PropertyType == typeof(Guid) && p.GetMethod is not null)
        ?.GetMethod?.CreateDelegate<Func<T, Guid>>();

    /// <summary>The subject; null when the type has no such property.</summary>
    public static Guid? Of(T message) => Getter?.Invoke(message);
}
