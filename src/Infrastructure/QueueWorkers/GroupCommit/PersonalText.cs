using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// Masks personal data in text that leaves a step or a process: logs, traces, headers of dead-lettered messages,
/// recorded faults, notes of operators, alerts. The one place for it, because a fault quotes whatever it met: a mail
/// server's reply, a web hook's answer, a row that the database refused.
/// Masked are mail addresses, values that PostgreSQL quotes, and what <see cref="Hide"/> was told.
/// </summary>
public static partial class PersonalText
{
    /// <summary>What stands in the place of a mail address.</summary>
    public const string Address = "<address>";

    private const string Hidden = "<personal>";

    // Shorter ones would mask parts of other words.
    private const int ShortestHidden = 3;

    /// <summary>Begins a run, in whose flow <see cref="Hide"/> is remembered.</summary>
    public static void Begin() => RunFlow.Begin();

    /// <summary>
    /// Names values of the person that the run is about, such as a name, which no pattern recognizes. Without a run it
    /// does nothing.
    /// </summary>
    public static void Hide(params ReadOnlySpan<string?> values)
    {
        if (RunFlow.Current is not { } run)
            return;
        foreach (var value in values)
        {
            if (value?.Trim() is { Length: >= ShortestHidden } text)
                run.Hide(text);
        }
    }

    /// <summary>The text with masks; the same object when there is nothing to mask.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var safe = text;
        foreach (var value in RunFlow.Current?.Hidden() ?? [])
        {
            // An address has its own mask, below.
            if (
                !value.Contains('@', StringComparison.Ordinal)
                && safe.Contains(value, StringComparison.OrdinalIgnoreCase)
            )
                safe = HideIn(safe, value);
        }

        if (safe.Contains('@', StringComparison.Ordinal) || safe.Contains("%40", StringComparison.Ordinal))
            safe = AddressPattern().Replace(safe, Address);
        if (safe.Contains(")=(", StringComparison.Ordinal))
            safe = KeyPattern().Replace(safe, ")=(…)");
        if (safe.Contains("Failing row contains", StringComparison.Ordinal))
            safe = RowPattern().Replace(safe, "Failing row contains (…)");
        return safe;
    }

    /// <summary>The same; null stays null.</summary>
    public static string? OfNullable(string? text) => text is null ? null : Of(text);

    /// <summary>
    /// The JSON document with masks in its strings. Masked as a text it could lose a quotation mark that ends one.
    /// </summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static string OfJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        using var document = JsonDocument.Parse(json);
        var masked = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(masked))
            Write(writer, document.RootElement);
        return Encoding.UTF8.GetString(masked.WrittenSpan);
    }

    /// <summary>
    /// The fault itself when nothing in its text, or in that of the faults within it, is personal; otherwise one with
    /// the masked text.
    /// </summary>
    public static Exception Of(Exception fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        if (fault is MaskedFaultException)
            return fault;
        var text = fault.ToString();
        var safe = Of(text);
        return ReferenceEquals(safe, text) || safe == text
            ? fault
            : new MaskedFaultException(fault, Of(fault.Message), safe);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Of(element.GetString()!));
                break;
            default:
                element.WriteTo(writer);
                break;
        }
    }

    // Not within a word: somebody called Lin is not in ":line 42".
    private static string HideIn(string text, string value) =>
        Regex.Replace(
            text,
            @$"(?<![\p{{L}}\p{{N}}_-]){Regex.Escape(value)}(?![\p{{L}}\p{{N}}_-])",
            Hidden,
            RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
        );

    // Also quoted local parts, and the form in which an address stands in a query string.
    [GeneratedRegex(
        @"<?(?:""[^""\r\n]{1,64}""|[^\s<>:;,""'()\[\]{}=@%]{1,128})(?:@|%40)[^\s<>:;,""'()\[\]{}=@%&?/\\]+>?",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex AddressPattern();

    // Key (email)=(zoe@example.com) already exists.
    [GeneratedRegex(
        @"\)=\(.*?\)(?=\s+(?:already exists|is not present|is still referenced|conflicts|is duplicated)|\s*$|[.\r\n])",
        RegexOptions.CultureInvariant | RegexOptions.Multiline
    )]
    private static partial Regex KeyPattern();

    [GeneratedRegex(@"Failing row contains \(.*\)", RegexOptions.CultureInvariant)]
    private static partial Regex RowPattern();
}
