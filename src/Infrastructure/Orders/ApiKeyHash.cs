using System.Security.Cryptography;
using System.Text;

namespace Orders.Infrastructure.Orders;

/// <summary>An API key's form and hash: <c>ok_</c> and 43 url-safe base64 characters (256 random bits). What is stored is the SHA-256 of that whole text.</summary>
public static class ApiKeyHash
{
    /// <summary>Length of a key in characters.</summary>
    public const int KeyLength = 46;

    /// <summary>Length of a hash in bytes.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    private const string Prefix = "ok_";

    /// <summary>Whether a text has the form of a key; says nothing about whether the key exists.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> key)
    {
        if (key.Length != KeyLength || !key.StartsWith(Prefix))
            return false;
        foreach (var c in key[Prefix.Length..])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                return false;
        }

        return true;
    }

    /// <summary>Hashes a well-formed key into <paramref name="hash"/>, which is <see cref="Length"/> bytes long.</summary>
    public static void Write(ReadOnlySpan<char> key, Span<byte> hash)
    {
        Span<byte> text = stackalloc byte[KeyLength];
        SHA256.HashData(text[..Encoding.ASCII.GetBytes(key, text)], hash);
    }

    /// <summary>The hash of a key.</summary>
    /// <exception cref="ArgumentException">The text does not have the form of a key.</exception>
    public static byte[] Of(string key)
    {
        if (!IsWellFormed(key))
            throw new ArgumentException($"An API key must be \"{Prefix}\" and 43 url-safe base64 characters, {KeyLength} in all; got {key.Length} characters. Generate a new one.");
        var hash = new byte[Length];
        Write(key, hash);
        return hash;
    }
}
