using System.Text;
using System.Text.RegularExpressions;

namespace Orders.Testing.Fuzz;

/// <summary>Changes JSON as text, so that the result may be JSON that no library writes, or none at all.</summary>
internal static partial class JsonMutation
{
    /// <summary>Changes a body in one place.</summary>
    public static byte[] Of(byte[] body, Random random)
    {
        var text = Encoding.Latin1.GetString(body);
        return random.Next(10) switch
        {
            < 5 => Bytes(ReplaceValue(text, random)),
            5 => Bytes(RepeatMember(text, random)),
            6 => Bytes(AddMember(text, random)),
            7 => Bytes(RemoveMember(text, random)),
            8 => Bytes(text[..random.Next(text.Length + 1)]),
            _ => Raw(body, random),
        };
    }

    private static string ReplaceValue(string text, Random random) =>
        Pick(Value().Matches(text), random) is { } value
            ? text[..value.Index] + Pick(NastyValues.Json, random) + text[(value.Index + value.Length)..]
            : Pick(NastyValues.Json, random);

    private static string RepeatMember(string text, Random random) =>
        Pick(Member().Matches(text), random) is { } member ? text.Insert(member.Index, $"{member.Value},") : text;

    private static string AddMember(string text, Random random) =>
        text.IndexOf('{', StringComparison.Ordinal) is var at and >= 0
            ? text.Insert(at + 1, $"\"unknown{random.Next(3)}\":{Pick(NastyValues.Json, random)},")
            : text;

    private static string RemoveMember(string text, Random random) =>
        Pick(Member().Matches(text), random) is { } member
            ? text.Remove(member.Index, member.Length).Replace(",,", ",", StringComparison.Ordinal)
            : "";

    private static byte[] Raw(byte[] body, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                return [];
            case 1:
                return [0xEF, 0xBB, 0xBF, .. body];
            case 2:
                return [.. body, .. "garbage"u8];
            case 3:
                return Encoding.Unicode.GetBytes(Encoding.UTF8.GetString(body));
            default:
                // One byte that is not what it was, often no UTF-8.
                var changed = (byte[])body.Clone();
                if (changed.Length > 0)
                    changed[random.Next(changed.Length)] = (byte)random.Next(256);
                return changed;
        }
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static string Pick(IReadOnlyList<string> values, Random random) => values[random.Next(values.Count)];

    private static Match? Pick(MatchCollection found, Random random) =>
        found.Count == 0 ? null : found[random.Next(found.Count)];

    // Texts are matched without a way back: with one, a body of 40,000 characters took seconds.
    // A text, number or word behind a colon, comma or bracket; objects and arrays count as their parts.
    [GeneratedRegex("""(?<=[:\[,]\s*)(?:"(?>(?:[^"\\]+|\\.)*)"(?!\s*:)|-?\d[\d.eE+-]*|true|false|null|\{\}|\[\])""")]
    private static partial Regex Value();

    [GeneratedRegex(
        """"(?>(?:[^"\\]+|\\.)*)"\s*:\s*(?:"(?>(?:[^"\\]+|\\.)*)"|-?\d[\d.eE+-]*|true|false|null|\{\}|\[\])""""
    )]
    private static partial Regex Member();
}
