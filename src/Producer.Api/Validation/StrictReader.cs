using System.Text.Json;
using System.Text.Unicode;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// Reads JSON and insists: known members only, each once, spelt exactly, of the right type, no comments, no trailing
/// commas, nothing after the end, no text that cannot be stored. Goes on after a fault wherever that has a meaning, so
/// that the client learns of all of them at once.
/// </summary>
internal ref struct StrictReader
{
    /// <summary>The deepest nesting of a body.</summary>
    public const int DeepestNesting = 8;

    // Ours, not the client's: members that the answers have and that a client may try to set.
    private static readonly HashSet<string> SetByUs =
    [
        "id",
        "orderId",
        "number",
        "status",
        "total",
        "unitPrice",
        "price",
        "clientId",
        "createdAt",
        "completedAt",
        "steps",
        "invoice",
        "name",
    ];

    private Utf8JsonReader _json;

    /// <summary>Starts at the first value of a body.</summary>
    /// <exception cref="MalformedBodyException">The body is not UTF-8.</exception>
    /// <exception cref="JsonException">The body does not begin with a value.</exception>
    public StrictReader(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
            throw new MalformedBodyException("must be UTF-8");
        // Deeper than the limit, so that the limit is ours and has its own message.
        _json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 64 });
        _json.Read();
    }

    /// <summary>What is wrong with the shape so far; null when nothing is.</summary>
    public FieldErrors? Errors { get; private set; }

    /// <summary>The type of the value that the reader stands on.</summary>
    public readonly JsonTokenType Token => _json.TokenType;

    /// <summary>Where the value that the reader stands on begins.</summary>
    public readonly int Position => (int)_json.TokenStartIndex;

    /// <summary>Where the reader has read to.</summary>
    public readonly int End => (int)_json.BytesConsumed;

    /// <summary>Goes to the next element of the array that the reader is in; false at its end.</summary>
    public bool NextElement() => _json.Read() && _json.TokenType != JsonTokenType.EndArray;

    /// <summary>Makes sure that the body ends here.</summary>
    public void Finish() => _json.Read();

    /// <summary>Steps into an object; false, with the value skipped, when it is none.</summary>
    public bool EnterObject(in Pointer at) => Enter(JsonTokenType.StartObject, "an object", at);

    /// <summary>Steps into an array; false, with the value skipped, when it is none.</summary>
    public bool EnterArray(in Pointer at) => Enter(JsonTokenType.StartArray, "an array", at);

    /// <summary>
    /// Goes to the next known member's value; false at the object's end, where missing members have been noted.
    /// </summary>
    /// <param name="members">The members of this object.</param>
    /// <param name="at">Where the object stands.</param>
    /// <param name="seen">A bit per member that has been there; 0 at first.</param>
    /// <param name="member">The member whose value comes.</param>
    public bool NextMember(Members members, in Pointer at, ref uint seen, out int member)
    {
        for (var place = 1; ; place++)
        {
            _json.Read();
            if (_json.TokenType == JsonTokenType.EndObject)
            {
                member = -1;
                if (!members.AreComplete(seen))
                {
                    foreach (var name in members.Missing(seen))
                        Fault(at.To(name), "is required");
                }

                return false;
            }

            member = Find(members);
            if (member < 0)
            {
                seen |= NoteUnknown(members, at);
            }
            else if ((seen & (1u << member)) == 0)
            {
                seen |= 1u << member;
                _json.Read();
                return true;
            }
            else
            {
                Fault(at.To(members.NameOf(member)), "appears more than once");
            }

            _json.Read();
            Skip();
        }
    }

    /// <summary>Reads a text.</summary>
    public string? Text(in Pointer at)
    {
        if (_json.TokenType != JsonTokenType.String)
        {
            Wrong(at, "a string");
            return null;
        }

        var text = TextOrNull();
        if (text is null)
            Fault(at, "must be text: half of a surrogate pair is none");
        return text;
    }

    /// <summary>Reads a text or null.</summary>
    public string? OptionalText(in Pointer at) => _json.TokenType == JsonTokenType.Null ? null : Text(at);

    /// <summary>Reads a whole number, written as one.</summary>
    public int Whole(in Pointer at)
    {
        if (_json.TokenType != JsonTokenType.Number)
            Wrong(at, "a number");
        else if (_json.TryGetInt32(out var value))
            return value;
        else
            Fault(at, "must be a whole number of 32 bits, without fraction or exponent");
        return 0;
    }

    /// <summary>Reads true or false.</summary>
    public bool Flag(in Pointer at)
    {
        if (_json.TokenType is JsonTokenType.True or JsonTokenType.False)
            return _json.TokenType == JsonTokenType.True;
        Wrong(at, "true or false");
        return false;
    }

    /// <summary>Goes to the end of the value that the reader stands on.</summary>
    /// <param name="deepest">How deep it may be nested, counted from the body's beginning.</param>
    /// <exception cref="MalformedBodyException">It is nested too deeply.</exception>
    public void Skip(int deepest = DeepestNesting)
    {
        if (_json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return;

        var depth = _json.CurrentDepth;
        do
        {
            if (
                _json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray
                && _json.CurrentDepth >= deepest
            )
                throw new MalformedBodyException($"must be nested at most {deepest} levels deep");
        } while (_json.Read() && _json.CurrentDepth > depth);
    }

    private bool Enter(JsonTokenType start, string expected, in Pointer at)
    {
        if (_json.TokenType == start)
            return true;
        Wrong(at, expected);
        return false;
    }

    private void Wrong(in Pointer at, string expected)
    {
        Fault(at, $"must be {expected}, found {Found()}");
        Skip();
    }

    private readonly string Found() =>
        _json.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => "a string",
            JsonTokenType.Number => "a number",
            JsonTokenType.True or JsonTokenType.False => "true or false",
            _ => "null",
        };

    private readonly int Find(Members members)
    {
        var names = members.Utf8Names;
        if (_json.ValueIsEscaped)
            return TextOrNull() is { } name ? members.Find(name, StringComparison.Ordinal) : -1;
        for (var i = 0; i < names.Length; i++)
        {
            if (_json.ValueSpan.SequenceEqual(names[i]))
                return i;
        }

        return -1;
    }

    // A name is told only where it is one of ours: what a client sent is never sent back.
    private uint NoteUnknown(Members members, in Pointer at)
    {
        var name = TextOrNull() ?? "";
        if (members.Find(name, StringComparison.OrdinalIgnoreCase) is >= 0 and var meant)
        {
            Fault(at.To(members.NameOf(meant)), "must be spelt exactly like this; members are case-sensitive");
            return 1u << meant;
        }

        if (SetByUs.TryGetValue(name, out var ours))
            Fault(at.To(ours), "is not taken from the client");
        else
            Fault(at, $"has an unknown member; known are {members.Listed}");
        return 0;
    }

    // Null for a text with an escaped half of a surrogate pair, which is valid JSON but no text.
    private readonly string? TextOrNull()
    {
        try
        {
            return _json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private void Fault(in Pointer at, string message) => (Errors ??= new FieldErrors()).Add(at.ToString(), message);
}
