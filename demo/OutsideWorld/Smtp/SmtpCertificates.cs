using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace Orders.OutsideWorld.Smtp;

/// <summary>
/// The certificate of the mail server: the one that it was given, else one of a private authority, both made when the
/// world first needs them. That authority publishes no revocation list.
/// </summary>
internal sealed class SmtpCertificates(TimeProvider clock, IOptions<OutsideWorldOptions> options) : IDisposable
{
    private readonly (string? Certificate, string? Key) given = (options.Value.SmtpCertificate, options.Value.SmtpKey);
    private readonly Lock gate = new();
    private X509Certificate2? authority;
    private X509Certificate2? server;

    /// <summary>Whether there is a certificate of files.</summary>
    public bool IsGiven => !string.IsNullOrEmpty(given.Certificate);

    /// <summary>The authority's certificate as PEM, for clients that shall trust it.</summary>
    public string AuthorityPem
    {
        get
        {
            lock (gate)
                return (authority ??= MakeAuthority()).ExportCertificatePem();
        }
    }

    /// <summary>The certificate with its key: the given one, or one for localhost, 127.0.0.1 and
    /// outside-world.</summary>
    public X509Certificate2 Server
    {
        get
        {
            // At each connection: the files may have been renewed.
            if (IsGiven)
                return X509Certificate2.CreateFromPemFile(given.Certificate!, given.Key);
            lock (gate)
                return server ??= MakeServer(authority ??= MakeAuthority());
        }
    }

    public void Dispose()
    {
        authority?.Dispose();
        server?.Dispose();
    }

    private X509Certificate2 MakeAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=The outside world's authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(clock.GetUtcNow().AddDays(-1), clock.GetUtcNow().AddYears(1));
    }

    private static X509Certificate2 MakeServer(X509Certificate2 issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=outside-world", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName("outside-world");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false)
        );
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, true, false)
        );
        using var certificate = request.Create(
            issuer,
            issuer.NotBefore,
            issuer.NotAfter,
            RandomNumberGenerator.GetBytes(16)
        );
        return certificate.CopyWithPrivateKey(key);
    }
}
