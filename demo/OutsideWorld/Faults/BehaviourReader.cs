using System.Text.Json;

namespace Orders.OutsideWorld.Faults;

/// <summary>
/// Reads the body of <c>PUT /behaviour</c> and collects everything that is wrong with it, by JSON pointer.
/// </summary>
internal sealed class BehaviourReader
{
    private const int LongestDelay = 600_000;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private readonly Dictionary<string, string[]> problems = [];

    /// <summary>What is wrong, by JSON pointer; empty when the body may be applied.</summary>
    public IDictionary<string, string[]> Problems => problems;

    /// <summary>The behaviour asked of the SMTP server; null leaves it as it is.</summary>
    public FaultProfile<SmtpMode>? Smtp { get; private set; }

    /// <summary>The behaviour asked of the warehouse; null leaves it as it is.</summary>
    public FaultProfile<WarehouseMode>? Warehouse { get; private set; }

    public static async Task<BehaviourReader> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        var reader = new BehaviourReader();
        try
        {
            using var document = await JsonDocument.ParseAsync(body, Strict, cancellationToken);
            reader.ReadRoot(document.RootElement);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            // No JSON, or a string that is half a surrogate pair.
            reader.problems[""] =
            [
                $"expected a JSON object with smtp and/or warehouse; found something that is not JSON: {problem.Message}",
            ];
        }

        return reader;
    }

    private void ReadRoot(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            Expect("", "a JSON object with smtp and/or warehouse", root);
            return;
        }

        foreach (var member in root.EnumerateObject())
        {
            if (member.NameEquals("smtp"))
                Smtp = ReadFaultProfile<SmtpMode>("/smtp", member.Value);
            else if (member.NameEquals("warehouse"))
                Warehouse = ReadFaultProfile<WarehouseMode>("/warehouse", member.Value);
            else
                problems["/" + Shorten(member.Name)] = ["expected only smtp and warehouse; found another member"];
        }

        if (problems.Count == 0 && Smtp is null && Warehouse is null)
            problems[""] = ["expected smtp and/or warehouse; found neither"];
    }

    private FaultProfile<TMode>? ReadFaultProfile<TMode>(string pointer, JsonElement section)
        where TMode : struct, Enum
    {
        if (section.ValueKind != JsonValueKind.Object)
        {
            Expect(pointer, "an object { mode, delayMs, share }", section);
            return null;
        }

        TMode? mode = null;
        var delay = 0;
        var share = 1m;
        var loseReply = false;
        foreach (var member in section.EnumerateObject())
        {
            var (at, value) = ($"{pointer}/{Shorten(member.Name)}", member.Value);
            switch (member.Name)
            {
                case "mode":
                    mode = Modes<TMode>()
                        .TryGetValue(value.ValueKind == JsonValueKind.String ? value.GetString()! : "", out var known)
                        ? known
                        : null;
                    if (mode is null)
                        Expect(at, $"one of {string.Join(", ", Modes<TMode>().Keys)}", value);
                    break;
                case "delayMs":
                    if (
                        value.ValueKind != JsonValueKind.Number
                        || !value.TryGetInt32(out delay)
                        || delay is < 0 or > LongestDelay
                    )
                        Expect(at, $"a whole number of milliseconds, 0–{LongestDelay}", value);
                    break;
                case "share":
                    if (
                        value.ValueKind != JsonValueKind.Number
                        || !value.TryGetDecimal(out share)
                        || share is < 0 or > 1
                    )
                        Expect(at, "a number from 0 to 1", value);
                    break;
                case "loseReply" when typeof(TMode) == typeof(SmtpMode):
                    loseReply = value.ValueKind == JsonValueKind.True;
                    if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                        Expect(at, "true or false", value);
                    break;
                default:
                    problems[at] =
                    [
                        "expected only mode, delayMs, share and, for smtp, loseReply; found another member",
                    ];
                    break;
            }
        }

        if (mode is null)
            problems.TryAdd(
                $"{pointer}/mode",
                [$"expected one of {string.Join(", ", Modes<TMode>().Keys)}; found no mode"]
            );
        else if (delay == 0 && NeedsDelay(mode.Value))
            problems.TryAdd(
                $"{pointer}/delayMs",
                [$"expected 1–{LongestDelay} with mode {NameOf(mode.Value)}; found 0 or nothing"]
            );
        return mode is { } read && problems.Count == 0
            ? new FaultProfile<TMode>(read, TimeSpan.FromMilliseconds(delay), share) { LoseReply = loseReply }
            : null;
    }

    private void Expect(string pointer, string expected, JsonElement found) =>
        problems[pointer] = [$"expected {expected}; found {Shorten(found.GetRawText())}"];

    private static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "…";

    /// <summary>Whether a mode means nothing without a delay.</summary>
    internal static bool NeedsDelay<TMode>(TMode mode)
        where TMode : struct, Enum => NameOf(mode) is "slow" or "retryafter" or "retrydate";

    internal static string NameOf<TMode>(TMode mode)
        where TMode : struct, Enum => mode.ToString().ToLowerInvariant();

    private static Dictionary<string, TMode> Modes<TMode>()
        where TMode : struct, Enum => Enum.GetValues<TMode>().ToDictionary(NameOf);
}
