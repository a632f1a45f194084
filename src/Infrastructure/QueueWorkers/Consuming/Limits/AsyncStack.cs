using System.Reflection;

namespace QueueWorkers.Consuming.Limits;

/// <summary>
/// Where an unfinished task stands: the chain of async methods down to what the innermost one waits for. Read by
/// reflection from the compiler's state machines, the way a debugger does it: good for a report to a person, and never
/// for a decision. A form it does not know ends the chain early.
/// </summary>
internal static class AsyncStack
{
    private const int Deepest = 30;
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The methods, outermost first, without those of MassTransit; empty when nothing is known.</summary>
    public static IReadOnlyList<string> Of(Task? task)
    {
        var frames = new List<string>();
        for (var depth = 0; task is { IsCompleted: false } && depth < Deepest; depth++)
        {
            var machine = task.GetType().GetField("StateMachine", Fields)?.GetValue(task);
            if (machine is null)
            {
                frames.Add($"awaiting {NameOf(task.GetType())}");
                break;
            }

            var method = machine.GetType();
            if (
                method.DeclaringType is { } type
                && type.Namespace?.StartsWith("MassTransit", StringComparison.Ordinal) != true
            )
                frames.Add($"{NameOf(type)}.{MethodOf(method.Name)}");
            task = AwaitedBy(machine);
        }

        return frames;
    }

    // The compiler keeps the awaiter of the present await in a field <>u__N; those of earlier ones are cleared or
    // complete.
    private static Task? AwaitedBy(object machine) =>
        machine
            .GetType()
            .GetFields(Fields)
            .Where(f => f.Name.StartsWith("<>u__", StringComparison.Ordinal))
            .Select(f => f.GetValue(machine) is { } awaiter ? TaskIn(awaiter, 0) : null)
            .FirstOrDefault(t => t is { IsCompleted: false });

    private static Task? TaskIn(object value, int depth)
    {
        if (value is Task task)
            return task;
        if (depth > 3 || !value.GetType().IsValueType)
            return null;
        return value
            .GetType()
            .GetFields(Fields)
            .Select(f => f.GetValue(value) is { } inner ? TaskIn(inner, depth + 1) : null)
            .FirstOrDefault(t => t is not null);
    }

    private static string MethodOf(string machine) =>
        machine.IndexOf('<', StringComparison.Ordinal) is >= 0 and var open
        && machine.IndexOf('>', open) is > 0 and var close
        && close > open + 1
            ? machine[(open + 1)..close]
            : machine;

    private static string NameOf(Type type) =>
        type.IsNested ? $"{NameOf(type.DeclaringType!)}.{MethodOf(type.Name)}" : type.Name.Split('`')[0];
}
