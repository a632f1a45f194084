using System.Security.Cryptography;
using System.Text;

namespace Orders.Infrastructure;

/// <summary>
/// An API key's form and hash: <c>ok_</c> and 43 url-safe base64 characters (256 random bits). What is stored is the
/// SHA-256 of that whole text.
/// </summary>
public static class ApiKeyHash
{
    /// <summary>Length of a key in characters.</summary>
    public const int KeyLength = 46;

    /// <summary>Length of a hash in bytes.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    /// <summary>Whether a text has the form of a key; says nothing about whether the key exists.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> key)
    {
        if (key.Length != KeyLength || !key.StartsWith(ApiKeys.Prefix))
            return false;
        foreach (var c in key[ApiKeys.Prefix.Length..])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                return false;
        }

        return true;
    }

    /// <summary>
    /// Hashes a well-formed key into <paramref name="hash"/>, which is <see cref="Length"/> bytes long.
    /// </summary>
    public static void Write(ReadOnlySpan<char> key, Span<byte> hash)
    {
        Span<byte> text = stackalloc byte[KeyLength];
        SHA256.HashData(text[..Encoding.ASCII.GetBytes(key, text)], hash);
    }
}
