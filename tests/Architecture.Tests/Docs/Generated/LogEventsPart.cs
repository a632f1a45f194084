using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>The log events of all hosts, from the attributes of the methods that write them.</summary>
internal static class LogEventsPart
{
    public static string Write() =>
        MarkdownTable.Of(
            ["id", "level", "name", "message", "class"],
            Product
                .Assemblies.SelectMany(assembly => assembly.GetTypes())
                .SelectMany(type => type.GetMethods(Product.Declared))
                .Select(method => (Method: method, Event: method.GetCustomAttribute<LoggerMessageAttribute>()))
                .Where(found => found.Event is not null)
                .OrderBy(found => found.Event!.EventId)
                .Select(found =>
                    new[]
                    {
                        found.Event!.EventId.ToString(CultureInfo.InvariantCulture),
                        found.Event.Level.ToString(),
                        $"`{found.Event.EventName ?? found.Method.Name}`",
                        Code(found.Event.Message),
                        $"`{found.Method.DeclaringType!.Name}`",
                    }
                )
        );

    // Two marks where the text has one of its own.
    private static string Code(string text) =>
        text.Contains('`', StringComparison.Ordinal) ? $"`` {text} ``" : $"`{text}`";
}
