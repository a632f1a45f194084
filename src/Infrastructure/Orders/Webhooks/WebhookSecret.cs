using System.Security.Cryptography;

namespace Orders.Infrastructure.Webhooks;

/// <summary>Secrets of web hooks, in the form of the Standard Webhooks specification.</summary>
public static class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int Length = 32;

    /// <summary>A new secret: 256 random bits.</summary>
    public static byte[] New() => RandomNumberGenerator.GetBytes(Length);

    /// <summary>A secret as the client gets it: <c>whsec_</c> and its base64.</summary>
    public static string Format(byte[] secret) => Prefix + Convert.ToBase64String(secret);
}
