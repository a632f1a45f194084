using System.Globalization;
using System.Security.Cryptography;

namespace QueueWorkers.Operators;

/// <summary>
/// Hashes passwords: PBKDF2 with SHA-256, a salt each, and the number of rounds beside it, so that it can grow. Stored
/// as <c>pbkdf2-sha256$rounds$salt$check</c>. The check is the SHA-256 of what PBKDF2 gives: only who knows the password
/// can show the database the value before that last step, see <see cref="ProofOf"/>.
/// </summary>
public static class OperatorPassword
{
    // OWASP's recommendation of 2023 for PBKDF2-HMAC-SHA256.
    private const int Rounds = 600_000;
    private const string Scheme = "pbkdf2-sha256";

    /// <summary>The text to store.</summary>
    public static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Scheme}${Rounds}${Convert.ToBase64String(salt)}${Convert.ToBase64String(SHA256.HashData(Derive(password, salt, Rounds)))}"
        );
    }

    /// <summary>
    /// Whether a password is the one that was hashed. Takes as long for a wrong one as for the right one.
    /// </summary>
    public static bool Verify(string password, string stored) => ProofOf(password, stored) is not null;

    /// <summary>
    /// What proves to the database that somebody knows the password; null when it is a wrong one. Takes as long for a
    /// wrong one as for the right one.
    /// </summary>
    public static byte[]? ProofOf(string password, string stored)
    {
        if (stored.Split('$') is not [Scheme, var rounds, var salt, var check])
            return null;
        var proof = Derive(password, Convert.FromBase64String(salt), int.Parse(rounds, CultureInfo.InvariantCulture));
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(proof), Convert.FromBase64String(check))
            ? proof
            : null;
    }

    private static byte[] Derive(string password, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, HashAlgorithmName.SHA256, 32);
}
