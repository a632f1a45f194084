using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace QueueWorkers.Hosting.Borders;

/// <summary>
/// Looks at every text of a request, in address, query string, form or JSON, before a handler does: no NUL, no half
/// surrogate pair, no member twice, nothing longer than anybody needs. Each of them would otherwise surface somewhere
/// below as a fault of ours.
/// </summary>
public static class IncomingText
{
    /// <summary>The longest reason.</summary>
    public const int LongestReason = 500;

    /// <summary>The longest text that is neither a payload, a patch nor a list of ids.</summary>
    public const int LongestText = 2000;

    // Where a login leads back to: its reader takes the overview instead of whatever is no address of ours.
    private const string Return = "return";

    private static readonly string[] Unbounded = ["payload", "patch", "ids"];

    /// <summary>What is wrong with address and query string; null when nothing is.</summary>
    public static string? ProblemOfAddress(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var value in request.RouteValues.Values)
        {
            if (value is string text && !IsWellFormed(text))
                return "The address holds characters that no name has.";
        }

        foreach (var (name, values) in request.Query)
        {
            if (
                name != Return
                && (!IsWellFormed(name) || values.Any(value => value is not null && !IsWellFormed(value)))
            )
                return "The query string holds a NUL or half a character.";
        }

        return null;
    }

    /// <summary>What is wrong with a form; null when nothing is.</summary>
    public static string? ProblemOfForm(IFormCollection form)
    {
        ArgumentNullException.ThrowIfNull(form);
        foreach (var (name, values) in form)
        {
            foreach (var value in values)
            {
                if (!IsWellFormed(name) || (value is not null && !IsWellFormed(value)))
                    return "The form holds a NUL or half a character.";
                if (value?.Length > LongestText && !Unbounded.Contains(name, StringComparer.Ordinal))
                    return $"A field of the form may have at most {LongestText} characters.";
            }
        }

        return null;
    }

    /// <summary>
    /// What is wrong with the texts of a JSON document; null when nothing is, or when it is no JSON, which its reader
    /// will say.
    /// </summary>
    public static string? ProblemOfJson(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        var members = new Stack<HashSet<string>>();
        var top = "";
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        members.Push(new HashSet<string>(StringComparer.Ordinal));
                        break;
                    case JsonTokenType.EndObject:
                        members.Pop();
                        break;
                    case JsonTokenType.PropertyName:
                        var name = reader.GetString()!;
                        if (name.Contains('\0', StringComparison.Ordinal))
                            return "The name of a member holds a NUL.";
                        if (!members.Peek().Add(name))
                            return "A member stands twice in the same object.";
                        if (reader.CurrentDepth == 1)
                            top = name;
                        break;
                    case JsonTokenType.String:
                        var text = reader.GetString()!;
                        if (text.Contains('\0', StringComparison.Ordinal))
                            return "A text holds a NUL.";
                        if (
                            top.Equals("reason", StringComparison.OrdinalIgnoreCase)
                            && reader.CurrentDepth == 1
                            && text.Length > LongestReason
                        )
                            return $"reason may have at most {LongestReason} characters, got {text.Length}.";
                        if (text.Length > LongestText && !Unbounded.Contains(top, StringComparer.OrdinalIgnoreCase))
                            return $"A text may have at most {LongestText} characters, got {text.Length}.";
                        break;
                }
            }
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            // Well-formed JSON whose text is none: an escape of half a surrogate pair, or bytes that are no UTF-8.
            return "A text holds half a character.";
        }

        return null;
    }

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0')
                return false;
            if (!char.IsSurrogate(text[i]))
                continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[++i]))
                return false;
        }

        return true;
    }
}
