using System.Security.Cryptography;
using System.Text;

namespace QueueWorkers.Operators;

/// <summary>
/// An operator's key: <c>op_</c> and 43 url-safe base64 characters (256 random bits). What is stored is the SHA-256 of
/// that whole text; a slow hash would add nothing to 256 random bits.
/// </summary>
public static class OperatorKey
{
    /// <summary>What every key begins with, so that a leaked one is recognised.</summary>
    public const string Prefix = "op_";

    private const int Length = 46;

    /// <summary>A new key; shown once.</summary>
    public static string NewKey() =>
        Prefix
        + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    /// <summary>Whether a text has the form of a key; says nothing about whether the key exists.</summary>
    public static bool IsWellFormed(string key) =>
        key.Length == Length
        && key.StartsWith(Prefix, StringComparison.Ordinal)
        && key.AsSpan(Prefix.Length).IndexOfAnyExcept(Allowed) < 0;

    /// <summary>The hash under which a key is stored and looked up.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static readonly System.Buffers.SearchValues<char> Allowed = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    );
}
