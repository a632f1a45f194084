using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orders.OutsideWorld.Warehouse;

/// <summary>
/// Verifies calls as the Standard Webhooks specification says: <c>webhook-signature</c> holds, among others, <c>v1,</c>
/// and the base64 of HMAC-SHA256 over <c>id.timestamp.body</c>; <c>webhook-timestamp</c> is within five minutes of now,
/// so that a captured call is soon worthless.
/// </summary>
internal sealed class WebhookVerifier(string secret, TimeProvider clock)
{
    private const string Prefix = "whsec_";
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);
    private readonly byte[] key = Convert.FromBase64String(secret[Prefix.Length..]);

    /// <summary>What is wrong with a secret, without telling it; null when it is fine.</summary>
    public static string? ProblemWith(string secret)
    {
        if (!secret.StartsWith(Prefix, StringComparison.Ordinal))
            return "something that does not begin with whsec_";
        var buffer = new byte[secret.Length];
        if (!Convert.TryFromBase64String(secret[Prefix.Length..], buffer, out var length))
            return "something that is not base64 after whsec_";
        return length is >= 24 and <= 64 ? null : $"{length} bytes";
    }

    /// <summary>What is wrong with the signature of a call: expected, found; null when it is genuine.</summary>
    public string? ProblemWith(IHeaderDictionary headers, byte[] body)
    {
        var (id, timestamp) = (headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString());
        if (id.Length == 0)
            return "expected a webhook-id header; found none";
        if (
            !long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > 253_402_300_799
        )
            return "expected a webhook-timestamp header in seconds since 1970; found none or something else";
        var age = clock.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (age.Duration() > Tolerance)
            return $"expected a webhook-timestamp within 300 s of now; found one that is {(long)age.TotalSeconds} s old";

        var expected = HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body]);
        var given = headers["webhook-signature"].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return given.Any(one => Matches(one, expected))
            ? null
            : $"expected a webhook-signature v1,<base64> made with the shared secret over id.timestamp.body; found {given.Length} that do not match";
    }

    private static bool Matches(string given, byte[] expected)
    {
        if (!given.StartsWith("v1,", StringComparison.Ordinal))
            return false;
        var buffer = new byte[given.Length];
        return Convert.TryFromBase64String(given[3..], buffer, out var length)
            && CryptographicOperations.FixedTimeEquals(buffer.AsSpan(0, length), expected);
    }
}
