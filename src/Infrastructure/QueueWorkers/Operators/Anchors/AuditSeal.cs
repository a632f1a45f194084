using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace QueueWorkers.Operators.Anchors;

/// <summary>The last line of an export: its head and the sum over all lines before, signed with HMAC-SHA256.</summary>
/// <param name="Head">The anchor of the export; empty for an empty record.</param>
/// <param name="Records">The number of lines before.</param>
/// <param name="At">When it was exported, as it stands in the line.</param>
/// <param name="Sha256">SHA-256 of all bytes before this line, in hexadecimal digits.</param>
/// <param name="Signature">HMAC-SHA256 of the other members, in hexadecimal digits.</param>
public sealed record AuditSeal(string Head, long Records, string At, string Sha256, string Signature)
{
    // Names what is signed: the key signs nothing else by accident.
    private const string Purpose = "orders-audit-export-1";

    /// <summary>Signs an export.</summary>
    public static AuditSeal Of(string key, AuditAnchor? head, long records, DateTimeOffset at, byte[] sha256)
    {
        var unsigned = new AuditSeal(
            head?.ToString() ?? "",
            records,
            at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            Convert.ToHexStringLower(sha256),
            ""
        );
        return unsigned with { Signature = Convert.ToHexStringLower(unsigned.SignWith(key)) };
    }

    /// <summary>Whether one of the keys has signed it.</summary>
    public bool IsSignedBy(params IEnumerable<string> keys)
    {
        var given = Encoding.UTF8.GetBytes(Signature ?? "");
        return keys.Where(key => key != "")
            .Any(key =>
                CryptographicOperations.FixedTimeEquals(
                    Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SignWith(key))),
                    given
                )
            );
    }

    private byte[] SignWith(string key) =>
        HMACSHA256.HashData(
            Encoding.UTF8.GetBytes(key),
            Encoding.UTF8.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"{Purpose}\n{Head}\n{Records}\n{At}\n{Sha256}")
            )
        );
}
