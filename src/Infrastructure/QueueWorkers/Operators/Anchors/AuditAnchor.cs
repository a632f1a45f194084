using System.Globalization;

namespace QueueWorkers.Operators.Anchors;

/// <summary>
/// The head of the audit record at some moment. Whoever deletes the newest rows can hide that from the chain of hashes,
/// but not from an anchor that is kept outside the database.
/// </summary>
/// <param name="Number">The number of the newest row.</param>
/// <param name="Hash">Its hash, 64 lower-case hexadecimal digits.</param>
public sealed record AuditAnchor(long Number, string Hash)
{
    private const int HashLength = 64;

    /// <summary>Reads <c>NUMBER:HASH</c>; null when the text is no anchor.</summary>
    public static AuditAnchor? Parse(string? text)
    {
        if (text?.Split(':') is not [var number, { Length: HashLength } hash] || !hash.All(char.IsAsciiHexDigit))
            return null;
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed > 0
            ? new AuditAnchor(parsed, hash.ToLowerInvariant())
            : null;
    }

    /// <summary>As in logs and exports: <c>NUMBER:HASH</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Number}:{Hash}");
}
