using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace QueueWorkers.Tls;

/// <summary>What an operator needs to know of a certificate to find it.</summary>
internal static class CertificateText
{
    // The server's owner wrote it: neither long nor with anything that steers a terminal.
    private const int Longest = 100;

    public static string Of(X509Certificate2 certificate)
    {
        var names = certificate
            .Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(n => n.EnumerateDnsNames().Concat(n.EnumerateIPAddresses().Select(a => a.ToString())))
            .ToArray();
        return $"one for '{Safe(names.Length == 0 ? certificate.Subject : string.Join(", ", names))}', "
            + $"valid from {Time(certificate.NotBefore)} to {Time(certificate.NotAfter)}, issued by '{Safe(certificate.Issuer)}'";
    }

    private static string Time(DateTime local) =>
        local.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Safe(string text)
    {
        var clean = string.Concat(text.Where(c => !char.IsControl(c)));
        return clean.Length <= Longest ? clean : $"{clean[..Longest]}…";
    }
}
