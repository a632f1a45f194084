using System.Globalization;
using System.Security.Cryptography;

namespace QueueWorkers.Operators;

/// <summary>
/// Hashes passwords: PBKDF2 with SHA-256, a salt each, and the number of rounds beside it, so that it can grow. Stored
/// as <c>pbkdf2-sha256$rounds$salt$hash</c>.
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
            $"{Scheme}${Rounds}${Convert.ToBase64String(salt)}${Convert.ToBase64String(Derive(password, salt, Rounds))}"
        );
    }

    /// <summary>
    /// Whether a password is the one that was hashed. Takes as long for a wrong one as for the right one.
    /// </summary>
    public static bool Verify(string password, string stored)
    {
        var parts = stored.Split('$');
        return parts is [Scheme, var rounds, var salt, var hash]
            && CryptographicOperations.FixedTimeEquals(
                Derive(password, Convert.FromBase64String(salt), int.Parse(rounds, CultureInfo.InvariantCulture)),
                Convert.FromBase64String(hash)
            );
    }

    private static byte[] Derive(string password, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, rounds, HashAlgorithmName.SHA256, 32);
}
