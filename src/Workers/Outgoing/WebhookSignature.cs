using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orders.Workers.Outgoing;

/// <summary>
/// Signs a webhook as in the Standard Webhooks specification (standardwebhooks.com): the receiver knows who sent it,
/// when, and that nobody changed it.
/// </summary>
public static class WebhookSignature
{
    /// <summary>
    /// The value of <c>webhook-signature</c>: <c>v1,</c> and the base64 of HMAC-SHA256 over
    /// <c>{id}.{timestamp}.{body}</c>.
    /// </summary>
    /// <param name="key">The secret's bytes.</param>
    /// <param name="id">The value of <c>webhook-id</c>.</param>
    /// <param name="timestamp">The value of <c>webhook-timestamp</c>, seconds since 1970.</param>
    /// <param name="body">The very bytes that are sent.</param>
    public static string Sign(ReadOnlySpan<byte> key, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, [.. head, .. body]));
    }
}
