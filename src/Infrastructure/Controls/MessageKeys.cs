using System.Security.Cryptography;
using System.Text;

namespace Orders.Infrastructure.Controls;

/// <summary>
/// Keys that a message carries in its envelope, and all messages that follow from it too: what a limit per key tells messages apart by, without reading anything from the database.
/// </summary>
public static class MessageKeys
{
    private const string Prefix = "Key-";
    private const int Bytes = 8;

    /// <summary>The header of a key.</summary>
    public static string HeaderOf(string key) => Prefix + key;

    /// <summary>A value fit for a message: it tells two apart and names nobody.</summary>
    public static string ValueOf(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash[..Bytes]);
    }
}
