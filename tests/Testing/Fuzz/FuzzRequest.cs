using System.Text;

namespace Orders.Testing.Fuzz;

/// <summary>
/// A request, byte by byte: each character of its texts is one byte (Latin-1), so that it can carry what is no UTF-8.
/// </summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path, escaped.</param>
/// <param name="Query">Names and values of the query, escaped.</param>
/// <param name="Headers">The headers besides Host and Content-Length.</param>
/// <param name="Body">The body; null for none.</param>
public sealed record FuzzRequest(
    string Method,
    string Path,
    IReadOnlyList<(string Name, string Value)> Query,
    IReadOnlyList<(string Name, string Value)> Headers,
    byte[]? Body
)
{
    private const int Shown = 3000;

    /// <summary>Path and query.</summary>
    public string Target =>
        Query.Count == 0 ? Path : $"{Path}?{string.Join('&', Query.Select(pair => $"{pair.Name}={pair.Value}"))}";

    /// <summary>The same with another header of this name; null removes it.</summary>
    public FuzzRequest With(string header, string? value) =>
        this with
        {
            Headers =
            [
                .. Headers.Where(h => !h.Name.Equals(header, StringComparison.OrdinalIgnoreCase)),
                .. value is null ? [] : new[] { (header, value) },
            ],
        };

    /// <summary>The bytes to send.</summary>
    public byte[] Bytes(Uri host)
    {
        var head = new StringBuilder().Append(Method).Append(' ').Append(Target).Append(" HTTP/1.1\r\n");
        head.Append("Host: ").Append(host.Authority).Append("\r\n");
        foreach (var (name, value) in Headers)
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        if (Body is not null)
            head.Append(FormattableString.Invariant($"Content-Length: {Body.Length}\r\n"));
        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. Body ?? []];
    }

    /// <summary>The request, shortened, with its control characters escaped.</summary>
    public override string ToString()
    {
        var text = Encoding.Latin1.GetString(Bytes(new Uri("http://host")));
        var shown = new StringBuilder();
        foreach (var c in text.Length > Shown ? text[..Shown] : text)
            shown.Append(c is (< ' ' or > '~') and not '\n' ? $"\\x{(int)c:x2}" : c.ToString());
        return text.Length > Shown ? $"{shown}… ({text.Length} bytes)" : shown.ToString();
    }
}
